import Common

/// Every key of Windfire in Redis. Those of one bucket carry its hash tag, so they live in one slot and one script may
/// touch them together. The global ones each live in a slot of their own, and a script never mixes them with others.
enum Keys {
    static func routes(_ bucket: Bucket) -> String { "wf:\(bucket.tag):routes" }
    static func epoch(_ bucket: Bucket) -> String { "wf:\(bucket.tag):epoch" }
    static func generations(_ bucket: Bucket) -> String { "wf:\(bucket.tag):gen" }

    /// What `node(_:_:)` begins with; scripts name the sets of displaced incarnations with it.
    static func nodePrefix(_ bucket: Bucket) -> String { "wf:\(bucket.tag):node:" }
    /// The `client|device` of this bucket on an incarnation.
    static func node(_ bucket: Bucket, _ incarnation: Incarnation) -> String {
        nodePrefix(bucket) + incarnation.description
    }
    /// How often the connections of one device displaced each other; expires with the window.
    static func war(_ bucket: Bucket, _ client: ClientID, _ device: DeviceID) -> String {
        "wf:\(bucket.tag):war:\(client.text)|\(device.text)"
    }

    /// The stored messages of a client.
    static func inbox(_ bucket: Bucket, _ client: ClientID) -> String { "wf:\(bucket.tag):inbox:\(client.text)" }
    /// How far its devices have come.
    static func cursor(_ bucket: Bucket, _ client: ClientID) -> String { "wf:\(bucket.tag):cursor:\(client.text)" }
    /// Which of its messages has which collapse key.
    static func collapse(_ bucket: Bucket, _ client: ClientID) -> String {
        "wf:\(bucket.tag):collapse:\(client.text)"
    }
    /// The three of them, as the scripts on inboxes take them.
    static func box(_ client: ClientID) -> [String] {
        let bucket = Bucket(of: client)
        return [inbox(bucket, client), cursor(bucket, client), collapse(bucket, client)]
    }

    /// The nodes that have subscribers of exactly this topic.
    static func topic(_ topic: Topic) -> String { "wf:\(Bucket(of: topic).tag):topic:\(topic.text)" }
    /// What a topic keeps.
    static func history(_ topic: Topic) -> String { "wf:\(Bucket(of: topic).tag):history:\(topic.text)" }
    /// How far its offsets have come.
    static func counting(_ topic: Topic) -> String { "wf:\(Bucket(of: topic).tag):counting:\(topic.text)" }

    /// Counters of a job; its own tag, so that reports can be told apart next to it.
    static func job(_ job: JobID) -> String { "wf:job:{\(job)}" }
    static func report(_ report: String, of job: JobID) -> String { "wf:job:{\(job)}:\(report)" }
    /// A hash of the caller's key, which may be long and say things that are nobody's business.
    static func dedupe(_ digest: String) -> String { "wf:dedupe:\(digest)" }

    /// Who has subscribers by which wildcards.
    static let patterns = "wf:patterns"
    /// Rises with each change of `patterns`. In its slot, because that whole key is the tag of this one.
    static let patternsVersion = "wf:{wf:patterns}:version"

    static let load = "wf:load"
    static let incarnations = "wf:incarnations"
    static let revoked = "wf:revoked"
    static func lease(_ name: String) -> String { "wf:lease:\(name)" }
}

extension Bucket {
    /// Topics are spread like clients, each by its own text. The tag stands before it, so braces in a topic do no harm.
    init(of topic: Topic) { self.init(CRC16.xmodem(topic.text.utf8) % UInt16(Bucket.count)) }
}
