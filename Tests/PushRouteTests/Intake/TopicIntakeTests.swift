import Common
import Testing

@testable import PushRoute

/// A push to topics or everyone, as it is read.
@Suite struct TopicIntakeTests {
    private func read(_ body: String, limits: Limits = .default, cut: Int? = nil) throws -> PushIntake.End {
        var intake = PushIntake(.json, limits: limits)
        let bytes = Array(body.utf8)
        let cut = cut ?? bytes.count
        for piece in [bytes[..<cut], bytes[cut...]] { try Array(piece).withUnsafeBytes { try intake.feed($0) } }
        return try intake.finish()
    }

    private func topic(_ text: String) -> Topic { Topic(unchecked: text) }

    @Test func aTopicAndItsMessageHoweverTheBodyIsCut() throws {
        let body = #" {"data": {"a":1 } ,"dedupe_key":"k","to":{ "topic" : "room\/\u00e9" }} "#
        let expected = PublishCall(audience: .topic(topic("room/é")), messages: [Array(#"{"a":1 }"#.utf8)])
        for cut in 0...body.utf8.count {
            let end = try read(body, cut: cut)
            #expect(end.publish == expected)
            #expect(end.parameters.dedupeKey == "k")
            #expect(end.total == 0)
        }
    }

    @Test func severalTopicsAreEachOnce() throws {
        let end = try read(#"{"to":{"topics":["b","a","b"]},"data":1}"#)
        #expect(end.publish?.audience == .topics([topic("b"), topic("a")]))
        #expect(end.publish?.publishCount == 2)
        // The same letters in other bytes are another topic.
        #expect(try read(#"{"to":{"topics":["\u00e9","e\u0301"]},"data":1}"#).publish?.publishCount == 2)
    }

    @Test func everyoneMayHaveARate() throws {
        #expect(
            try read(#"{"to":{"everyone":true},"data":1,"rate_per_s":500}"#).publish?.audience
                == .everyone(perSecondMax: 500))
        #expect(try read(#"{"to":{"everyone":true},"data":1}"#).publish?.audience == .everyone(perSecondMax: nil))
    }

    @Test func aBatchIsSeveralMessagesInTheirOrder() throws {
        let body = #"{"batch":[1, {"a":[2,"]"]} ,"x",null],"to":{"topic":"t"},"mode":"live"}"#
        for cut in 0...body.utf8.count {
            let call = try #require(try read(body, cut: cut).publish)
            let texts = call.messages.map { String(decoding: $0, as: UTF8.self) }
            #expect(texts == ["1", #"{"a":[2,"]"]}"#, #""x""#, "null"])
            #expect(call.isBatch)
        }
        #expect(try read(#"{"batch":[1,2],"to":{"topics":["a","b"]}}"#).publish?.publishCount == 4)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let body: String
        let code: FailureCode
        let message: String
        init(_ body: String, _ code: FailureCode, _ message: String) {
            (self.body, self.code, self.message) = (body, code, message)
        }
        var testDescription: String { body }
    }

    @Test(arguments: [
        Refusal(#"{"to":{"topic":""},"data":1}"#, .invalidTopic, "to.topic: a topic is not empty"),
        Refusal(
            #"{"to":{"topic":"a/+"},"data":1}"#, .invalidTopic,
            "to.topic: a topic has no + and no #; they are for subscriptions"),
        Refusal(
            #"{"to":{"topics":["a","b\u0007"]},"data":1}"#, .invalidTopic,
            "to.topics[1]: a topic has no control characters"),
        Refusal(
            #"{"to":{"topics":["\#(String(repeating: "x", count: 257))"]},"data":1}"#, .invalidTopic,
            "to.topics[0]: a topic has at most 256 bytes"),
        Refusal(
            #"{"to":{"topics":["\#(String(repeating: "x", count: 2_000))"]},"data":1}"#, .invalidTopic,
            "to.topics[0]: a topic has at most 256 bytes"),
        Refusal(#"{"to":{"topics":[]},"data":1}"#, .invalidRequest, "to.topics is empty"),
        Refusal(#"{"to":{"topics":["a",1]},"data":1}"#, .invalidRequest, "to.topics[1] has the wrong type"),
        Refusal(#"{"to":{"topics":"a"},"data":1}"#, .invalidRequest, "to.topics has the wrong type"),
        Refusal(#"{"to":{"topics":["a","b","c","d"]},"data":1}"#, .tooManyTargets, "the push has more than 3 topics"),
        Refusal(#"{"to":{"topic":["a"]},"data":1}"#, .invalidRequest, "to.topic has the wrong type"),
        Refusal(#"{"to":{"everyone":false},"data":1}"#, .invalidRequest, "to.everyone is not true"),
        Refusal(#"{"to":{"everyone":1},"data":1}"#, .invalidRequest, "to.everyone is not true"),
        Refusal(
            #"{"to":{"clients":["a"],"topic":"b"},"data":1}"#, .invalidRequest,
            "to.clients and to.topic are both given"),
        Refusal(#"{"to":{"topic":"a","topic":"b"},"data":1}"#, .invalidRequest, "to.topic is given twice"),
        Refusal(#"{"to":{"topic":"a"}}"#, .invalidRequest, "data is missing, and so is batch"),
        Refusal(#"{"to":{"topic":"a"},"data":1,"batch":[1]}"#, .invalidRequest, "data and batch are both given"),
        Refusal(#"{"to":{"topic":"a"},"batch":[]}"#, .invalidRequest, "batch is empty"),
        Refusal(#"{"to":{"topic":"a"},"batch":1}"#, .invalidRequest, "batch has the wrong type"),
        Refusal(#"{"to":{"topic":"a"},"batch":[1,2,3]}"#, .payloadTooLarge, "batch has more than 2 messages"),
        Refusal(
            #"{"to":{"topic":"a"},"batch":[1,"12345678901"]}"#, .payloadTooLarge, "batch[1] is longer than 10 bytes"),
        Refusal(
            #"{"to":{"clients":["a"]},"batch":[1]}"#, .invalidRequest,
            "batch is for topics and everyone; clients get one message a push"),
        Refusal(
            #"{"to":{"topic":"a"},"data":1,"mode":"stored"}"#, .notSupported,
            "mode stored is for clients; what a topic keeps is set by topics.rules"),
        Refusal(#"{"to":{"topic":"a"},"data":1,"ttl_s":1}"#, .notSupported, "ttl_s is for clients"),
        Refusal(
            #"{"to":{"everyone":true},"data":1,"collapse_key":"k"}"#, .notSupported, "collapse_key is for clients"),
        Refusal(#"{"to":{"topic":"a"},"data":1,"async":true}"#, .notSupported, "async is for clients"),
        Refusal(
            #"{"to":{"topic":"a"},"data":1,"rate_per_s":1}"#, .notSupported, "rate_per_s is for clients and everyone"),
    ])
    func whatDoesNotFitIsRefusedByName(_ refusal: Refusal) {
        var limits = Limits()
        limits.topicsPerPublishMax = 3
        limits.messagesPerPublishMax = 2
        limits.payloadBytesMax = 10
        let error = #expect(throws: WindfireError.self) { try read(refusal.body, limits: limits) }
        #expect(error == WindfireError(refusal.code, refusal.message))
    }
}
