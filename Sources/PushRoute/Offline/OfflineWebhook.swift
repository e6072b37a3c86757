import Common
import Crypto
import Foundation
import HTTPSupport
import Logging
import ServiceLifecycle
import Webhooks

/// Tells the owner's endpoint who was not there, so that APNs, FCM or mail can take over.
package final class OfflineWebhook: OfflineReporter, Service {
    private let sender: WebhookSender
    private let dataBytesMax: Int

    package init(
        _ configuration: WebhookConfiguration, dataBytesMax: Int, metrics: PrometheusRegistry, logger: Logger
    ) {
        sender = WebhookSender(configuration, destination: "offline", metrics: metrics, logger: logger)
        self.dataBytesMax = dataBytesMax
    }

    package func report(_ targets: [ClientID], of push: OfflinePush) {
        // Of more than the queue holds the first would only be made to give way.
        let kept = targets.suffix(sender.queueMax)
        if kept.count < targets.count { sender.dropped(targets.count - kept.count) }
        let about = OfflineEvent.Push(push, dataBytesMax: dataBytesMax)
        sender.post(
            kept.map { client in
                WebhookEvent(id: Self.id(of: client, push), content: OfflineEvent(client: client, push: about))
            })
    }

    /// The same for the same push and client, whoever tells it: a part of a job that is run again, because its first
    /// runner died, tells nobody anything new.
    static func id(of client: ClientID, _ push: OfflinePush) -> UUIDv7 {
        let digest = SHA256.hash(data: Data("\(push.message)|\(client)".utf8))
        let words = digest.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(as: UInt64.self).bigEndian,
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
            )
        }
        return UUIDv7(unixMilliseconds: push.timestampMilliseconds, random: words)
    }

    package func run() async throws { try await sender.run() }
}

/// One target that was not there.
struct OfflineEvent: WebhookContent {
    /// Shared by the events of all its targets.
    final class Push: Sendable {
        let push: OfflinePush
        /// Nil when it is too long to be told along.
        let data: [UInt8]?
        let dataBytes: Int

        init(_ push: OfflinePush, dataBytesMax: Int) {
            dataBytes = push.data.count
            data = dataBytes <= dataBytesMax ? push.data : nil
            self.push = OfflinePush(
                message: push.message, mode: push.mode, isStored: push.isStored, data: [],
                timestampMilliseconds: push.timestampMilliseconds, traceID: push.traceID)
        }
    }

    let client: ClientID
    let push: Push

    var type: String { "offline_push" }

    func write(to writer: inout JSONWriter) {
        let about = push.push
        writer.key("push")
        writer.string(about.message.text)
        writer.key("client")
        writer.string(client.text)
        writer.key("mode")
        writer.string(about.mode.rawValue)
        writer.key("stored")
        writer.boolean(about.isStored)
        if let data = push.data {
            writer.key("data")
            writer.raw(data)
        } else {
            writer.key("data_bytes")
            writer.integer(push.dataBytes)
        }
        writer.key("ts")
        writer.integer(about.timestampMilliseconds)
        if let traceID = about.traceID {
            writer.key("trace_id")
            writer.string(traceID)
        }
    }
}
