import TestKit
import Testing

@testable import PushServer

/// Held against Swift's own validation.
struct UTF8ValidatorTests {
    private func isValid(_ parts: [[UInt8]]) -> Bool {
        var validator = UTF8Validator()
        for part in parts where !part.withUnsafeBytes({ validator.accept($0) }) { return false }
        return validator.isComplete
    }

    private func isValidForSwift(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    @Test func everyPairOfBytesAndWhatMayFollow() {
        var wrong: [[UInt8]] = []
        for first in UInt8.min ... .max {
            for second in UInt8.min ... .max {
                for rest in [[], [0x80], [0x80, 0xBF], [0x41]] as [[UInt8]] {
                    let bytes = [first, second] + rest
                    if isValid([bytes]) != isValidForSwift(bytes) { wrong.append(bytes) }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func randomBytesCutAnywhere() {
        var random = SplitMix.printed()
        let pieces: [[UInt8]] = [
            Array("abcdefgh".utf8), Array("é".utf8), Array("€".utf8), Array("🎉".utf8), [0xED, 0xA0, 0x80],
            [0xC0, 0xAF],
            [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80], [0xFF],
        ]
        var valid = 0
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 1...6, using: &random)).flatMap { _ in
                pieces[Int.random(in: pieces.indices, using: &random)]
            }
            let expected = isValidForSwift(bytes)
            valid += expected ? 1 : 0
            let cut = Int.random(in: 0...bytes.count, using: &random)
            #expect(isValid([bytes]) == expected)
            #expect(isValid([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
            #expect(isValid(bytes.map { [$0] }) == expected)
        }
        #expect(valid > 50)
    }
}
