import Common

/// What `to` names, as it comes in: `clients`, which go elsewhere one by one, or `topic`, `topics` or `everyone`, which
/// are kept here. Exactly one of them.
struct AudienceFields {
    private let limits: Limits
    /// Which of them it is.
    private(set) var name: String?
    private var topics: [Topic] = []
    private var seen: Set<Topic> = []
    /// Topics that were named, repetitions included: what the limit counts.
    private var named = 0

    init(limits: Limits) { self.limits = limits }

    /// The name of a field of `to` has been read.
    mutating func begin(_ name: String) throws(WindfireError) {
        switch name {
        case "clients", "topic", "topics", "everyone": break
        case "group": throw WindfireError(.notSupported, "to.group is not offered by this version")
        default: throw PushFields.refusal("there is no field to.\(PushFields.shown(name))")
        }
        if let earlier = self.name {
            throw PushFields.refusal(
                earlier == name ? "to.\(name) is given twice" : "to.\(earlier) and to.\(name) are both given")
        }
        self.name = name
    }

    /// The value of `to.topic` or `to.everyone`.
    /// - Parameter value: one JSON value, validated.
    mutating func set(_ value: UnsafeRawBufferPointer) throws(WindfireError) {
        var scanner = JSONScanner(value)
        let text: String
        do throws(JSONFailure) {
            if name == "everyone" {
                guard try scanner.readBoolean() else { throw JSONFailure(.wrongType, at: 0) }
                return
            }
            text = try scanner.readString()
        } catch {
            throw PushFields.refusal(name == "everyone" ? "to.everyone is not true" : "to.topic has the wrong type")
        }
        do throws(WindfireError) { topics = [try Topic(text)] } catch {
            throw WindfireError(error.code, "to.topic: \(error.message)")
        }
    }

    /// An element of `to.topics`. One that was there before changes nothing.
    mutating func add(_ text: String) throws(WindfireError) {
        guard named < limits.topicsPerPublishMax else {
            throw WindfireError(.tooManyTargets, "the push has more than \(limits.topicsPerPublishMax) topics")
        }
        let topic: Topic
        do throws(WindfireError) { topic = try Topic(text) } catch {
            throw WindfireError(error.code, "to.topics[\(named)]: \(error.message)")
        }
        named += 1
        if seen.insert(topic).inserted { topics.append(topic) }
    }

    /// - Returns: nil when `to` names clients.
    var audience: PublishCall.Audience? {
        switch name {
        case "topic": topics.first.map { .topic($0) }
        case "topics": .topics(topics)
        case "everyone": .everyone(perSecondMax: nil)
        default: nil
        }
    }
}
