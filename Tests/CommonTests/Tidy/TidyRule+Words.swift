// Words that have no place in the sources, each with what to write instead.

extension TidyRule {
    static let words: [TidyRule] = [
        noTraps, noPrinting, noSleepInTests, noSleepOfThreads, noLeftovers, noClockInLogic,
    ]

    static let noTraps = TidyRule(
        "sources never trap on what comes from outside",
        remedy:
            "throw a WindfireError or close with a CloseReason; `precondition` with a sentence is for our own mistakes",
        example: "Sources/Common/Example.swift", "let value = tr" + "y! read()\n"
    ) { file in
        guard file.isIn("Sources"), file.isSwift, !file.isGenerated else { return [] }
        return file.lines { code in
            code.contains("tr" + "y!") || code.contains(" a" + "s! ") || code.contains("fatal" + "Error(")
        }
    }

    static let noPrinting = TidyRule(
        "only the executable prints",
        remedy: "log with a constant message and metadata keys from LogKeys.swift",
        example: "Sources/Common/Example.swift", "    pri" + "nt(value)\n"
    ) { file in
        guard file.isIn("Sources"), file.isSwift, !file.isIn("Sources/Windfire"), !file.isGenerated else { return [] }
        return file.lines { $0.contains("rint(") && $0.contains(/\b(?:debugP|p)rint\(/) }
    }

    /// The helpers that poll are the only ones that may pause.
    private static let pollers: Set<String> = ["Eventually.swift", "ChildProcess.swift"]

    static let noSleepInTests = TidyRule(
        "tests do not sleep",
        remedy: "await the event, advance a test clock, or poll the condition with `eventually` from TestKit",
        example: "Tests/CommonTests/Example.swift", "        try await Ta" + "sk.sleep(for: .seconds(1))\n"
    ) { file in
        guard file.isIn("Tests"), file.isSwift else { return [] }
        return file.lines { code in
            code.contains("Ta" + "sk.sleep(") && !(file.isIn("Tests/TestKit") && pollers.contains(file.name))
        }
    }

    static let noSleepOfThreads = TidyRule(
        "nobody puts a thread to sleep",
        remedy: "schedule on the event loop, or Task.sleep in an actor of the sources",
        example: "Sources/Common/Example.swift", "        usl" + "eep(1000)\n"
    ) { file in
        guard file.isSwift else { return [] }
        return file.lines { $0.contains("sleep") && $0.contains(/\b(?:u|nano)sleep\(|Thread\.sleep/) }
    }

    static let noLeftovers = TidyRule(
        "no leftover notes", remedy: "do it now, or open an issue and leave the note out",
        example: "Sources/Common/Example.swift", "// TO" + "DO: later\n"
    ) { file in
        // This very file is made so that it does not contain the words.
        file.lines.filter { line in
            ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK:"].contains { line.text.contains($0) }
        }.map(\.number)
    }

    static let noClockInLogic = TidyRule(
        "PushCore has no clock and no dice",
        remedy: "take the time, the number or the identifier as an argument; the handler knows them",
        example: "Sources/PushCore/Example.swift", "        let now = Continuous" + "Clock.now\n"
    ) { file in
        guard file.isIn("Sources/PushCore") else { return [] }
        return file.lines { code in
            code.contains(/\bClock\.now|Clock\(\)\.now|NIODeadline\.now\(|\.now\(\)|\.random\(|\bUUID\(\)|\bDate\(\)/)
                || code.contains("Clock.now")
        }
    }
}
