/// Topics as MQTT 5.0, section 4.7, words them, as plain and as slow as can be: what the real ones are held against.
package enum NaiveTopics {
    package static func matches(_ pattern: String, _ topic: String) -> Bool {
        let (pattern, topic) = (levels(pattern), levels(topic))
        // 4.7.2: wildcards at the beginning do not match topics that begin with $.
        if topic[0].hasPrefix("$"), ["+", "#"].contains(pattern[0]) { return false }
        return matches(pattern[...], topic[...])
    }

    /// Every text of one to `depth` levels of these names, but for the empty one, which is no topic.
    package static func texts(of names: [String], depth: Int) -> [String] {
        var all = names
        var longest = names
        for _ in 1..<depth {
            longest = longest.flatMap { text in names.map { text + "/" + $0 } }
            all += longest
        }
        return all.filter { !$0.isEmpty }
    }

    /// The same, with wildcards where they may stand.
    package static func patterns(of names: [String], depth: Int) -> [String] {
        texts(of: names + ["+", "#"], depth: depth).filter { !levels($0).dropLast().contains("#") }
    }

    private static func levels(_ text: String) -> [String] {
        text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    }

    private static func matches(_ pattern: ArraySlice<String>, _ topic: ArraySlice<String>) -> Bool {
        guard let level = pattern.first else { return topic.isEmpty }
        // 4.7.1.2: it includes the level before it.
        if level == "#" { return true }
        guard let name = topic.first else { return false }
        return (level == "+" || level == name) && matches(pattern.dropFirst(), topic.dropFirst())
    }
}
