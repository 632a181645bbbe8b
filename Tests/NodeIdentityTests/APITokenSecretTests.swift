import NodeIdentity
import Testing

@Suite struct `The secret of a token` {
    @Test func `is 256 bits in letters that need no quoting, another each time`() {
        let texts = Set((0..<100).map { _ in APITokenSecret().text })
        #expect(texts.count == 100)
        for text in texts { #expect(text.wholeMatch(of: /fnt_[A-Za-z0-9_-]{43}/) != nil) }
    }

    @Test func `matches its own digest and no other`() {
        let secret = APITokenSecret()
        #expect(secret.digest.count == 32)
        #expect(APITokenSecret(secret.text).matches(digest: secret.digest))
        #expect(!APITokenSecret().matches(digest: secret.digest))
        #expect(!secret.matches(digest: []))
        #expect(!secret.matches(digest: Array(secret.digest.dropLast())))
        // printf abc | sha256sum
        #expect(APITokenSecret("abc").digest.prefix(4) == [0xba, 0x78, 0x16, 0xbf])
    }
}
