import Hummingbird
import Logging
import NIOCore

/// What travels with one HTTP request: its trace, where it came from, and who was let in.
package struct HTTPContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The address of the connection, as the kernel says it; nil on a Unix socket and in router tests.
    package let peer: SocketAddress?
    /// Set by `TraceMiddleware`; before it, a trace of zeros that no request has.
    package var trace: TraceContext
    /// Where the request came from, after trusted proxies: for limits and logs. Set by `TraceMiddleware`.
    package var clientAddress: String
    /// The key that was presented, once a gate has let it in.
    package var apiKey: APIKey?

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress
        trace = .none
        clientAddress = "local"
    }

    /// Largest body that is read whole, unless a handler says otherwise.
    package var maxUploadSize: Int { 64 << 10 }
}
