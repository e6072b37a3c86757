/// A place in an inbox: the id of a stored message, in the order in which messages were stored. Written `ms-seq`, as
/// Redis Streams write it. The seq counts what was ever stored for this client, so that the distance of two places is
/// known without looking between them.
package struct StreamPosition: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Unix milliseconds of the store's clock; never less than that of the message before.
    package let milliseconds: UInt64
    package let sequence: UInt64

    package init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// Before every message.
    package static let start = StreamPosition(milliseconds: 0, sequence: 0)

    /// `ms-seq`, each 1 to 20 decimal digits within 64 bits; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let utf8 = text.utf8
        guard let dash = utf8.firstIndex(of: UInt8(ascii: "-")), let milliseconds = UInt64(digits: utf8[..<dash]),
            let sequence = UInt64(digits: utf8[utf8.index(after: dash)...])
        else { return nil }
        self.init(milliseconds: milliseconds, sequence: sequence)
    }

    /// nil when the id is not that of a stored message.
    package init?(_ id: MessageID) { self.init(id.text) }

    /// What devices see.
    package var messageID: MessageID { MessageID(unchecked: description) }

    package var description: String { "\(milliseconds)-\(sequence)" }

    package static func < (left: StreamPosition, right: StreamPosition) -> Bool {
        (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
    }
}

extension UInt64 {
    /// Decimal digits alone: no sign, no space.
    fileprivate init?(digits: some Sequence<UInt8>) {
        var value: UInt64 = 0
        var isEmpty = true
        for byte in digits {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            (value, isEmpty) = (sum, false)
        }
        guard !isEmpty else { return nil }
        self = value
    }
}
