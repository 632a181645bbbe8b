import CZlib
import Yams

package enum RS {}
