import FederationModel
import Foundation

/// The wall clock, where values meet the world.
package func wallClock() -> UnixMilliseconds { UnixMilliseconds(Date().timeIntervalSince1970 * 1_000) }
