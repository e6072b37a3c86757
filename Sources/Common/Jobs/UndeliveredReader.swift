/// Cuts a page of undelivered clients out of chunks, which are handed in one after the other in their order. Every
/// store reads its chunks this way, so that positions mean the same in each and no more than a page is held.
package struct UndeliveredReader: Sendable {
    /// What a store has of a chunk.
    package enum Content: Sendable {
        case receipt([Undelivered])
        /// Of a job that has ended, and never will be.
        case notTried([ClientID])
        /// Not done yet.
        case open
    }

    private let limit: Int
    /// Where the next chunk is read from.
    package private(set) var position: UndeliveredPosition
    private var rows: [Undelivered] = []

    package init(from position: UndeliveredPosition, limit: Int) {
        self.position = position
        self.limit = min(max(limit, 1), JobLimits.undeliveredPerPageMax)
    }

    package var isFull: Bool { rows.count >= limit }

    /// - Precondition: the index is not before `position.chunk`; not full.
    package mutating func read(_ index: Int, _ content: Content) {
        precondition(index >= position.chunk && !isFull, "chunks are handed in in their order, while there is room")
        let offset = index == position.chunk ? max(position.offset, 0) : 0
        let all: [Undelivered] =
            switch content {
            case .receipt(let rows): rows
            case .notTried(let clients): clients.map { Undelivered(client: $0, reason: .notTried) }
            case .open: []
            }
        let taken = all.dropFirst(offset).prefix(limit - rows.count)
        rows += taken
        let end = offset + taken.count
        position =
            end < all.count
            ? UndeliveredPosition(chunk: index, offset: end) : UndeliveredPosition(chunk: index + 1, offset: 0)
    }

    /// The page, when it is full or there are no more chunks.
    /// - Parameter chunkCount: of the job: behind the last there is nothing.
    package func page(chunkCount: Int) -> UndeliveredPage {
        UndeliveredPage(rows: rows, next: isFull && position.chunk < chunkCount ? position : nil)
    }
}
