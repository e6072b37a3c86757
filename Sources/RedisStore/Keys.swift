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

    static let load = "wf:load"
    static let incarnations = "wf:incarnations"
    static let revoked = "wf:revoked"
    static func lease(_ name: String) -> String { "wf:lease:\(name)" }
}
