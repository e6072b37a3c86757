import Common
import Webhooks

/// A device of a client came, or went: what `webhooks.presence-url` is told.
struct PresenceNotice: WebhookContent, Equatable {
    enum Change: Equatable {
        case online
        case offline(CloseReason)
    }

    let change: Change
    let client: ClientID
    let device: DeviceID
    let session: SessionID
    /// The node that had the session.
    let node: NodeID
    /// Of the session's claim: orders the news of one device over all nodes.
    let epoch: Epoch
    /// When it happened, in Unix milliseconds.
    let milliseconds: UInt64

    init(_ change: Change, _ client: ClientID, _ route: Route, milliseconds: UInt64) {
        self.change = change
        self.client = client
        device = route.device
        session = route.session
        node = route.incarnation.node
        epoch = route.epoch
        self.milliseconds = milliseconds
    }

    var isOnline: Bool { change == .online }
    var type: String { isOnline ? "online" : "offline" }
    var subject: WebhookEvent.Subject { .init(client: client, device: device, epoch: epoch) }

    func write(to writer: inout JSONWriter) {
        writer.key("client")
        writer.string(client.text)
        writer.key("device")
        writer.string(device.text)
        writer.key("session")
        writer.string(session.description)
        writer.key("node")
        writer.string(node.text)
        writer.key("epoch")
        writer.integer(epoch.value)
        if case .offline(let reason) = change {
            writer.key("reason")
            writer.string(reason.name)
        }
        writer.key("ts")
        writer.integer(milliseconds)
    }
}
