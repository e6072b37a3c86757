// How a connection finds its protocol: by its first bytes, or by the port it came to.

import Common
import Glibc
import NIOCore
import PushCore

/// A protocol with a port of its own.
enum SpokenProtocol {
    case janus
}

extension SessionHandler {
    /// On a port of one protocol: nothing is waited for.
    func openWithoutBytes() {
        guard case .opening = phase, let spoken else { return }
        do throws(WireError) {
            switch spoken {
            case .janus: take(try shard.selector.enterJanus())
            }
        } catch {
            finish(with: ByteBuffer(), reason: error.reason)
        }
    }

    /// The first bytes decide.
    func open(with bytes: inout ByteBuffer) {
        do throws(WireError) {
            take(try shard.selector.select(&bytes))
            if case .speaking = phase, bytes.readableBytes > 0 { listen(to: &bytes) }
        } catch {
            finish(with: ByteBuffer(), reason: error.reason)
        }
    }

    private func take(_ selection: FrontendSelector.Selection) {
        switch selection {
        case .needsMore: return
        case .speak(let frontend, let response, let hello):
            if let refusal { return finish(with: refusal.response, reason: .overloaded) }
            become(.speaking(frontend))
            write(response)
            if let hello { perform(machine.received(hello, now: .now())) }
        case .enter(let frontend, let event):
            // A refusal is in the words of HTTP.
            if refusal != nil { return finish(with: ByteBuffer(), reason: .overloaded) }
            become(.speaking(frontend))
            if frontend.traits.liveness == .afterDelivery { watchWithTCP() }
            perform(machine.received(event, now: .now()))
        case .respond(let response, let reason):
            finish(with: refusal?.response ?? response, reason: refusal == nil ? reason : .overloaded)
        }
    }

    /// Nobody answers pings: the kernel's probes tell within two minutes that the other side is gone (tcp(7)).
    private func watchWithTCP() {
        guard let options = context?.channel.syncOptions else { return }
        // Fails only on a closed channel.
        try? options.setOption(.socketOption(.so_keepalive), value: 1)
        for (name, value) in [(TCP_KEEPIDLE, 60), (TCP_KEEPINTVL, 15), (TCP_KEEPCNT, 4)] {
            try? options.setOption(.tcpOption(.init(rawValue: name)), value: value)
        }
    }

    /// An answer outside of any session, then the end.
    private func finish(with response: ByteBuffer, reason: CloseReason) {
        guard let ending = machine.close(for: reason, now: .now()) else { return }
        shard.sessionEnded(ending)
        goDeaf(after: response)
    }
}
