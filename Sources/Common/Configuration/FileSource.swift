import Yams

/// The YAML file: maps nest where the name has a dot, or the dotted name is written out. Lists are lists or text with
/// commas.
enum FileSource {
    static func read(_ text: String, path: String) -> ConfigurationReading {
        var reading = ConfigurationReading()
        do {
            guard let root = try Yams.compose(yaml: text) else { return reading }
            if case .scalar(let scalar) = root, scalar.string.isEmpty { return reading }
            guard case .mapping = root else {
                reading.problems.append(
                    ConfigurationProblem(name: path, place: "file", message: "is not a map of keys to values"))
                return reading
            }
            walk(root, prefix: "", path: path, into: &reading)
        } catch let error as YamlError {
            reading.problems.append(
                ConfigurationProblem(
                    name: path, place: place(of: error, path), message: "is not valid YAML: \(why(error))"))
        } catch {
            reading.problems.append(ConfigurationProblem(name: path, place: "file", message: "is not valid YAML"))
        }
        return reading
    }

    private static func walk(_ node: Node, prefix: String, path: String, into reading: inout ConfigurationReading) {
        let source = Configuration.Source.file(path: path, line: node.mark?.line ?? 0)
        func problem(_ message: String) {
            reading.problems.append(ConfigurationProblem(name: prefix, place: source.description, message: message))
        }
        func entry(_ text: String) {
            reading.entries.append(ConfigurationEntry(key: prefix, text: text, name: prefix, source: source))
        }

        if prefix.isEmpty || ConfigurationTable.byName[prefix] == nil {
            guard case .mapping(let mapping) = node, prefix.isEmpty || isSection(prefix) else {
                if let example = names.first(where: { $0.hasPrefix(prefix + ".") }) {
                    problem("is a group of keys, such as `\(example)`")
                } else {
                    reading.problems.append(.unknown(prefix, in: source.description, known: names))
                }
                return
            }
            for (key, value) in mapping {
                guard let name = key.string else { continue }
                walk(value, prefix: prefix.isEmpty ? name : "\(prefix).\(name)", path: path, into: &reading)
            }
            return
        }
        switch node {
        case .scalar(let scalar):
            let isNull = node.null != nil && scalar.style == .plain
            if isNull { problem("has no value") } else { entry(scalar.string) }
        case .sequence(let items):
            guard ConfigurationTable.byName[prefix]?.isList == true else {
                return problem("takes one value, not a list")
            }
            let texts = items.compactMap(\.scalar?.string)
            if texts.count == items.count {
                entry(texts.joined(separator: ","))
            } else {
                problem("takes a list of plain values")
            }
        case .mapping: problem("is a key, not a group of keys")
        case .alias: problem("uses an alias; write the value out")
        }
    }

    private static let names = ConfigurationTable.definitions.map(\.name)
    private static let sections = Set(
        names.compactMap { name in name.firstIndex(of: ".").map { String(name[..<$0]) } })

    private static func isSection(_ prefix: String) -> Bool { sections.contains(prefix) }

    private static func place(of error: YamlError, _ path: String) -> String {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
            "\(path):\(mark.line)"
        default: "file"
        }
    }

    /// The parser's own words, without the snippet of the file: a secret may stand on that line.
    private static func why(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _),
            .reader(let problem, _, _, _):
            problem
        case .duplicatedKeysInMapping(let duplicates, _): "stands twice: \(duplicates.joined(separator: ", "))"
        default: "cannot be read"
        }
    }
}
