import Detection
import FederationModel
import Testing

/// 2025-09-30 10:00 in China.
let noon = ShanghaiTime.parse("2025-09-30T10:00:00+08:00") ?? 0
let hour: UnixMilliseconds = 3_600_000

func rule(_ id: String) throws -> DetectionRule { try #require(DetectionRules.builtIn.named(id)) }

/// A ticket `hours` after ``noon``.
func ticket(
    _ id: String, hours: Int64 = 0, person: String? = nil, place: String? = "370102/解放东路3号",
    category: String = "03.03.01", region: String = "370102", text: String = ""
) -> ObservedTicket {
    ObservedTicket(
        id: id, at: noon + hours * hour, region: region, category: category, person: person, place: place, text: text)
}

/// Whether two numbers agree to so many decimals.
func isNear(_ a: Double?, _ b: Double, _ tolerance: Double) -> Bool { a.map { abs($0 - b) <= tolerance } ?? false }
