import Foundation
import TestKit
import Testing

@testable import Webhooks

@Suite struct SignatureTests {
    private let body = Array(
        #"{"events":[{"type":"numbered","id":"00000000-0001-7000-8000-000000000000","number":1}]}"#.utf8)
    /// `printf '%s' "1700000000.$BODY" | openssl dgst -sha256 -hmac "an ordinary secret"`, OpenSSL 3.
    private let vector = "6b33bd7384e969afaed0302f2c05a00a8a8f9c2ee2e1893530b45ea58f7233b9"

    @Test func itIsWhatOpenSSLComputes() {
        let value = WebhookSignature.value(body: body, unixSeconds: 1_700_000_000, secret: secret)
        #expect(value == "t=1700000000,v1=\(vector)")
    }

    @Test func aReceiverAcceptsItWithinTheTolerance() {
        let value = "t=1700000000,v1=\(vector)"
        for now: Int64 in [1_699_999_700, 1_700_000_000, 1_700_000_300] {
            #expect(WebhookSignature.isValid(value, body: body, secret: secret, unixSeconds: now))
        }
        for now: Int64 in [1_699_999_699, 1_700_000_301, 0, -1, .max, .min] {
            #expect(!WebhookSignature.isValid(value, body: body, secret: secret, unixSeconds: now))
        }
    }

    @Test func anotherBodySecretOrTimeIsRefused() {
        let now: Int64 = 1_700_000_000
        let value = "t=1700000000,v1=\(vector)"
        #expect(!WebhookSignature.isValid(value, body: body + [0x20], secret: secret, unixSeconds: now))
        #expect(!WebhookSignature.isValid(value, body: body, secret: "another secret", unixSeconds: now))
        #expect(!WebhookSignature.isValid("t=1700000001,v1=\(vector)", body: body, secret: secret, unixSeconds: now))
    }

    @Test func ofSeveralSignaturesOneMustHold() {
        let value = "t=1700000000,v1=\(String(repeating: "0", count: 64)),v0=x,v1=\(vector)"
        #expect(WebhookSignature.isValid(value, body: body, secret: secret, unixSeconds: 1_700_000_000))
    }

    @Test(arguments: [
        "", "t=", "v1=", "t=1700000000", "t=1700000000,v1=", "t=1700000000,v1=zz", "t=x,v1=6b", "t=-1,v1=6b",
        "t=99999999999999999999,v1=6b", ",,,===", "v1=6b33bd7384e969afaed0302f2c05a00a8a8f9c2ee2e1893530b45ea58f7233b9",
        "t=1700000000,v1=6b33bd7384e969afaed0302f2c05a00a8a8f9c2ee2e1893530b45ea58f7233b",
        "t=1700000000,v1=6b33bd7384e969afaed0302f2c05a00a8a8f9c2ee2e1893530b45ea58f7233bé",
    ])
    func nonsenseIsRefused(_ value: String) {
        #expect(!WebhookSignature.isValid(value, body: body, secret: secret, unixSeconds: 1_700_000_000))
    }

    /// What docs/webhooks.md shows a receiver in Python, run by Python on a call that went over a socket.
    @Test func thePythonOfTheManualAcceptsARealCallAndNoChangedOne() async throws {
        let manual = try Repository.text("docs/webhooks.md")
        let start = try #require(manual.firstRange(of: "```python\n")).upperBound
        let end = try #require(manual[start...].firstRange(of: "```")).lowerBound
        let receiver = WebhookReceiver()
        try await receiver.serving { receiver in
            try await RunningSender.running(RunningSender.configuration(receiver.url)) { running in
                running.sender.post([event(1)])
                try await eventually("the call has come") { receiver.calls.count == 1 }
            }
            let call = try #require(receiver.calls.first)
            let value = try #require(call.header("windfire-signature"))
            let program = """
                \(manual[start..<end])
                import sys
                body = bytes.fromhex(sys.argv[2])
                print(is_genuine(body, sys.argv[1], b"\(secret)"), is_genuine(body + b" ", sys.argv[1], b"\(secret)"))
                """
            let folder = try TemporaryFolder()
            let file = "\(folder.path)/verify.py"
            try program.write(toFile: file, atomically: true, encoding: .utf8)
            let hex = call.body.map { String(format: "%02x", $0) }.joined()
            let python = Process()
            python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            python.arguments = ["python3", file, value, hex]
            let pipe = Pipe()
            python.standardOutput = pipe
            try python.run()
            let output = try #require(try pipe.fileHandleForReading.readToEnd())
            python.waitUntilExit()
            #expect(String(decoding: output, as: UTF8.self) == "True False\n")
        }
    }
}
