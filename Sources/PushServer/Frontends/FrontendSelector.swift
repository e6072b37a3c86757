import Common
import NIOCore
import PushCore

/// Recognises the protocol of a connection from its first bytes. A protocol is a line in `select`, a folder beside this
/// file, and nothing else.
struct FrontendSelector: Sendable {
    let http: HTTPOpening
    let requestHeadBytesMax: Int
    /// Nil where nobody gets in without a token.
    let janus: JanusRules?

    enum Selection {
        case needsMore
        /// Speak this from now on; write the response first. The opening may have brought a hello.
        case speak(any Frontend, response: ByteBuffer, hello: SessionEvent?)
        /// Speak this from now on, without any opening.
        case enter(any Frontend, SessionEvent)
        /// An answer, and the end.
        case respond(ByteBuffer, CloseReason)
    }

    /// Takes from `bytes` what belongs to the opening.
    func select(_ bytes: inout ByteBuffer) throws(WireError) -> Selection {
        switch JanusOpening.look(at: bytes) {
        case .undecided: return .needsMore
        case .janus: return try enterJanus()
        case .other: break
        }
        // Every HTTP method begins with a capital letter; no other protocol of this listener does but STOMP, whose
        // commands ("CONNECT\n", "STOMP\n") differ in the byte after the word.
        guard let first: UInt8 = bytes.getInteger(at: bytes.readerIndex) else { return .needsMore }
        guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
            throw WireError(.badProtocol, "the first bytes belong to no protocol")
        }
        guard let head = try RequestHead.take(from: &bytes, bytesMax: requestHeadBytesMax) else { return .needsMore }
        switch http.decide(head) {
        case .upgrade(let response, let frontend, let hello):
            return .speak(frontend, response: response, hello: hello)
        case .respond(let response, let reason): return .respond(response, reason)
        }
    }

    /// Also for a port where nothing else is spoken.
    func enterJanus() throws(WireError) -> Selection {
        guard let janus else { throw WireError(.anonymousRefused, "Janus has no token") }
        return .enter(JanusFrontend(rules: janus), .enter(anonymous: janus.permissions))
    }
}
