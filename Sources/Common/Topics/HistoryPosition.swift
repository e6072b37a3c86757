/// A place in the kept history of a topic: the offset counts the topic's messages from 1, the epoch names the counting.
///
/// The offset alone would lie: a store that was wiped counts from 1 again, and a subscriber that asks for what came
/// after 50 would silently miss the first 50 of the new counting. The epoch is the store's clock in µs when the
/// history was begun, so it rises.
///
/// Written `offset-epoch`, the epoch in 16 hex digits; opaque to devices, which give it back as `since`.
package struct HistoryPosition: Hashable, Sendable, CustomStringConvertible {
    package let epoch: UInt64
    package let offset: UInt64

    package init(epoch: UInt64, offset: UInt64) {
        self.epoch = epoch
        self.offset = offset
    }

    /// - Throws: `invalid_request` for any other form.
    package init(_ text: String) throws(WindfireError) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.count <= 20,
            parts[0].utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
            let offset = UInt64(parts[0]), let epoch = UInt64(hex16: parts[1])
        else { throw WindfireError(.invalidRequest, "since is not a position that a message of the topic had") }
        self.init(epoch: epoch, offset: offset)
    }

    package var description: String { "\(offset)-\(epoch.hex16)" }
}

/// A part of a topic's history, read after some offset, all in one step: entries and head belong together.
package struct HistoryPage<Element: Sendable>: Sendable {
    package struct Entry: Sendable {
        package let offset: UInt64
        package let element: Element

        package init(offset: UInt64, element: Element) {
            self.offset = offset
            self.element = element
        }
    }

    package let epoch: UInt64
    /// The oldest offset that is kept; `head + 1` when nothing is.
    package let first: UInt64
    /// The last offset that was given; 0 before the first message.
    package let head: UInt64
    /// By rising offset, all after the one that was asked for.
    package let entries: [Entry]
    /// Whether there is more behind the last entry.
    package let isMore: Bool

    package init(epoch: UInt64, first: UInt64, head: UInt64, entries: [Entry], isMore: Bool) {
        self.epoch = epoch
        self.first = first
        self.head = head
        self.entries = entries
        self.isMore = isMore
    }
}

extension HistoryPage: Equatable where Element: Equatable {}
extension HistoryPage.Entry: Equatable where Element: Equatable {}
