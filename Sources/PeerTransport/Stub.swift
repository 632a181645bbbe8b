import CCurl
import CCurlShim

package enum PT {}
