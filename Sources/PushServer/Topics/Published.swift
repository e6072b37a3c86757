import Common
import NIOCore
import NodeRPC
import PushCore

/// What was published, on its way to the subscribers of one shard, and the call that waits to hear of it.
struct Published {
    let command: SessionCommand
    /// One, or those of a merged batch.
    let messages: [Message]
    /// Nil for what has been answered already.
    private let call: PublishCall?
    private let index: Int

    init(_ messages: [Message], as command: SessionCommand, _ index: Int?, of call: PublishCall?) {
        self.messages = messages
        self.command = command
        self.call = index == nil ? nil : call
        self.index = index ?? 0
    }

    var byteCount: Int { messages.reduce(0) { $0 + $1.data.readableBytes } }

    func done(_ outcome: PublishOutcome) { call?.done(index, outcome) }
}

/// The part of a publisher's call that one shard answers: complete when all of its messages are handed over.
final class PublishCall {
    private var outcomes: [PublishOutcome]
    private var open: Int
    private let promise: EventLoopPromise<[PublishOutcome]>

    init(count: Int, promise: EventLoopPromise<[PublishOutcome]>) {
        outcomes = [PublishOutcome](repeating: .none, count: count)
        open = count
        self.promise = promise
        if count == 0 { promise.succeed([]) }
    }

    func done(_ index: Int, _ outcome: PublishOutcome) {
        outcomes[index] = outcome
        open -= 1
        if open == 0 { promise.succeed(outcomes) }
    }
}

extension Message {
    init(_ message: TopicMessage, in topic: Topic?, at position: HistoryPosition?) {
        self.init(
            id: message.id, timestampMilliseconds: message.timestampMilliseconds,
            data: ByteBuffer(bytes: message.data), from: message.from, topic: topic, position: position)
    }
}
