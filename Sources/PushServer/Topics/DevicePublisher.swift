import Common
import NodeRPC

/// Publishes for the devices of this node.
struct DevicePublisher: Sendable {
    let publisher: TopicPublisher
    /// Unix milliseconds.
    let clock: @Sendable () -> UInt64

    /// Never waits: messages of one device go out in the order of these calls.
    /// - Parameter client: nil for nobody's session.
    func submit(_ data: [UInt8], from client: ClientID?, to topic: Topic) -> PublishTicket {
        let now = clock()
        let id = UUIDv7(unixMilliseconds: now, random: (.random(in: .min ... .max), .random(in: .min ... .max)))
        return publisher.submit(
            TopicMessage(
                id: MessageID(unchecked: id.description), timestampMilliseconds: now, data: data, from: client),
            to: topic)
    }
}
