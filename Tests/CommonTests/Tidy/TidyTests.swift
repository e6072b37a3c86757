import Testing

/// The house rules that a machine can check, held on every file.
struct TidyTests {
    @Test(arguments: TidyRule.all) func holds(_ rule: TidyRule) {
        let places = SourceFile.all.flatMap { file in rule.violations(file).map { "\(file.path):\($0)" } }
        #expect(places.isEmpty, "\(rule.name). Instead: \(rule.remedy).\n\(places.joined(separator: "\n"))")
    }

    @Test(arguments: TidyRule.all) func refusesItsOwnExample(_ rule: TidyRule) {
        #expect(!rule.violations(rule.example).isEmpty)
    }

    @Test func theFilesAreFound() {
        let paths = SourceFile.all.map(\.path)
        #expect(paths.contains("Sources/Common/Limits.swift"))
        #expect(paths.contains("Tests/CommonTests/Tidy/TidyTests.swift"))
        #expect(paths.contains("scripts/bootstrap"))
        #expect(paths.contains("Package.swift"))
    }

    /// `//` in a string is no comment, and a comment is no code.
    @Test(arguments: [
        (#"let url = "redis://host" // why"#, #"let url = "redis://host" "#),
        ("value() // a \"quoted\" word", "value() "),
        ("/// Only words.", ""),
        ("plain()", "plain()"),
    ])
    func codeIsTakenApartFromComments(_ text: String, _ code: String) {
        #expect(SourceFile(path: "x.swift", text: text).lines.map(\.code) == [code])
    }

    @Test func functionsAreMeasuredFromDeclarationToBrace() {
        let file = SourceFile(
            path: "x.swift",
            text: """
                struct A {
                    private static func one(
                        _ value: Int
                    ) -> Int {
                        if value > 0 {
                            return 1
                        }
                        return 0
                    }

                    init?(_ text: String) { nil }
                    func two() { }
                    let x = 1
                }
                """)
        #expect(file.functions.map(\.start).first == 2)
        #expect(file.functions.map(\.lines).first == 8)
    }
}
