// What a device says and hears of topics, in the words of a test.

import Foundation
import TestKit
import Testing

@testable import PushServer

extension DeviceSocket {
    func subscribe(_ topic: String, since: String? = nil, ref: Int = 1) async throws {
        let since = since.map { #","since":"\#($0)""# } ?? ""
        try await send(#"{"op":"subscribe","topic":"\#(topic)"\#(since),"ref":\#(ref)}"#)
        try await text(with: #"{"op":"ok","ref":\#(ref)"#)
    }

    func unsubscribe(_ topic: String, ref: Int = 2) async throws {
        try await send(#"{"op":"unsubscribe","topic":"\#(topic)","ref":\#(ref)}"#)
        try await text(with: #"{"op":"ok","ref":\#(ref)}"#)
    }

    /// - Returns: to how many sessions.
    @discardableResult
    func publish(_ data: String, to topic: String, ref: Int = 3) async throws -> Int {
        try await send(#"{"op":"publish","topic":"\#(topic)","data":\#(data),"ref":\#(ref)}"#)
        let answer = try await text(with: #"{"op":"ok","ref":\#(ref)"#)
        return try #require(answer.firstMatch(of: /"delivered":([0-9]+)/).flatMap { Int($0.1) })
    }

    /// The code of the error that answers a frame.
    func refusal(of frame: String, ref: Int) async throws -> String {
        try await send(frame)
        let answer = try await text(with: #"{"op":"error","ref":\#(ref),"#)
        return String(try #require(answer.firstMatch(of: /"code":"([a-z_]+)"/)).1)
    }

    /// The data of what came of a topic, in its order.
    func heard(of topic: String) -> [String] {
        messages(of: topic).compactMap { text in
            guard let start = text.range(of: #""data":"#), let end = text.range(of: #","ts""#, options: .backwards)
            else { return nil }
            return String(text[start.upperBound..<end.lowerBound])
        }
    }

    /// Whole frames.
    private func messages(of topic: String) -> [String] {
        texts.filter { $0.hasPrefix(#"{"op":"message","topic":"\#(topic)""#) }
    }

    func heard(_ data: [String], of topic: String) async throws {
        try await eventually("\(data.count) messages of \(topic)") { messages(of: topic).count >= data.count }
        #expect(heard(of: topic) == data)
    }

    func heard(last data: String, of topic: String) async throws {
        try await eventually(within: .seconds(60), "\(data.prefix(20)) of \(topic)", poll: .milliseconds(50)) {
            messages(of: topic).last?.contains(#""data":\#(data)"#) == true
        }
    }

    /// Where in what the topic keeps the last message that came is.
    func lastPosition(of topic: String) throws -> String {
        let last = texts.last { $0.hasPrefix(#"{"op":"message","topic":"\#(topic)""#) }
        return String(try #require(last?.firstMatch(of: /"position":"([^"]+)"/)).1)
    }
}
