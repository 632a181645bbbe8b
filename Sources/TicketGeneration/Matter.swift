import FederationModel

/// What a ticket is about: the topic, the place, the words.
struct Matter {
    let topic: Topic
    var county: County
    /// Street, number and residential area.
    let place: String
    let address: String
    let detail: String
    let since: String

    init(type: String, month: Int?, places: Places, random: inout SplitMix64) {
        topic = Self.topic(isQuestion: type == "1" && random.chance(850), month: month, random: &random)
        county = random.pick(places.counties)
        let street = "\(random.pick(places.roads))\(random.int(1...380))号"
        place = "\(street)\(random.pick(Places.communities))"
        address = "\(places.cityName)\(county.name)\(random.pick(county.townships))\(place)"
        detail = random.pick(topic.details)
        since = random.pick(Wording.since)
    }

    /// - Parameter month: nil for topics of all seasons.
    private static func topic(isQuestion: Bool, month: Int?, random: inout SplitMix64) -> Topic {
        while true {
            let topic = random.pick(isQuestion ? Topic.questions : Topic.problems)
            if topic.months.isEmpty || month.map(topic.months.contains) == true { return topic }
        }
    }
}

/// Who brings it.
struct Person {
    let name: String
    let phone: String
    /// About every sixth one shows it.
    let identityNumber: String?

    init(region: String, year: Int, random: inout SplitMix64) {
        name = random.pick(Wording.surnames) + random.pick(Wording.givenNames)
        phone = "1\(random.int(3...9))\(random.below(10))0000\(random.int(1_000...9_999))"
        let isShown = random.chance(160)
        let number = Self.identityNumber(region: region, year: year, random: &random)
        identityNumber = isShown ? number : nil
    }

    static func identityNumber(region: String, year: Int, random: inout SplitMix64) -> String {
        let birth = (year - random.int(18...85)) * 10_000 + random.int(1...12) * 100 + random.int(1...28)
        return IdentityNumber.person(region: region, birth: String(birth), serial: random.int(1...999))
    }
}

/// One matter that several persons report, or one person again and again: a stretch of a block of tickets in which those
/// who ask for help or complain do so about the same thing.
struct SharedMatter {
    static let blockLength = 64

    let block: Int
    let matter: Matter
    /// Filled when all of them come from one person.
    let person: Person?

    /// - Returns: nil when the ticket lies in no such stretch.
    init?(index: Int, year: Int, recipe: TicketRecipe) {
        guard recipe.sharesMatters else { return nil }
        block = index / Self.blockLength
        var random = SplitMix64(seed: recipe.seed &+ 2, index: block)
        guard random.chance(500) else { return nil }
        let start = random.below(48)
        guard (start..<start + random.int(4...16)).contains(index % Self.blockLength) else { return nil }
        matter = Matter(type: "3", month: nil, places: recipe.places, random: &random)
        person =
            random.chance(250) ? Person(region: matter.county.code, year: year, random: &random) : nil
    }
}
