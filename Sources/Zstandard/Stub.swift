import CZstd
package enum ZS {}
