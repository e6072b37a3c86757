import Common
import TestKit
import Testing

struct PatternTrieTests {
    private func matches(_ trie: PatternTrie, _ topic: String) throws -> [UInt32] {
        var numbers: [UInt32] = []
        trie.appendMatches(of: try Topic(topic), to: &numbers)
        return numbers.sorted()
    }

    @Test func findsEveryPatternOnce() throws {
        var trie = PatternTrie()
        for (number, text) in ["#", "a/#", "a/+", "+/b", "a/b", "+/+/#"].enumerated() {
            trie.insert(try TopicPattern(text), UInt32(number))
        }
        #expect(try matches(trie, "a/b") == [0, 1, 2, 3, 4, 5])
        #expect(try matches(trie, "a") == [0, 1])
        #expect(try matches(trie, "c/d/e") == [0, 5])
        #expect(try matches(trie, "$a/b") == [])
    }

    @Test func whatIsTakenOutIsNotFound() throws {
        var trie = PatternTrie()
        let (short, long) = (try TopicPattern("a/+"), try TopicPattern("a/+/c"))
        trie.insert(short, 1)
        trie.insert(long, 2)
        trie.remove(short)
        #expect(trie.number(of: short) == nil)
        #expect(trie.number(of: long) == 2)
        #expect(try matches(trie, "a/b/c") == [2])
        trie.remove(try TopicPattern("a/#"))
        trie.remove(try TopicPattern("x/y"))
        #expect(trie.count == 1, "what was not there changes nothing")
        trie.remove(long)
        #expect(trie.isEmpty)
        #expect(try matches(trie, "a/b/c") == [])
    }

    @Test func aNewNumberTakesThePlaceOfTheOld() throws {
        var trie = PatternTrie()
        trie.insert(try TopicPattern("a/#"), 1)
        trie.insert(try TopicPattern("a/#"), 2)
        #expect(trie.count == 1)
        #expect(try matches(trie, "a") == [2])
    }

    @Test func randomPatternsComeAndGoAsInTheModel() throws {
        var random = SplitMix.printed()
        let topics = NaiveTopics.texts(of: ["a", "b", "$s"], depth: 4)
        let patterns = NaiveTopics.patterns(of: ["a", "b", "", "$s"], depth: 3)
        var trie = PatternTrie()
        var model: [Int: TopicPattern] = [:]
        for _ in 0..<3_000 {
            let number = Int.random(in: patterns.indices, using: &random)
            let pattern = try TopicPattern(patterns[number])
            if model[number] == nil, Bool.random(using: &random) {
                trie.insert(pattern, UInt32(number))
                model[number] = pattern
            } else {
                trie.remove(pattern)
                model[number] = nil
            }
            // Few at a time, so that branches die and come back.
            if model.count > 40, let some = model.first {
                trie.remove(some.value)
                model[some.key] = nil
            }
            let topic = topics[Int.random(in: topics.indices, using: &random)]
            let expected = model.filter { NaiveTopics.matches($0.value.text, topic) }.map { UInt32($0.key) }.sorted()
            #expect(try matches(trie, topic) == expected, "\(topic)")
            #expect(trie.count == model.count)
        }
    }
}
