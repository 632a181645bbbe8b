import Hummingbird
import HummingbirdCore
import NIOSSL

package enum NR {}
