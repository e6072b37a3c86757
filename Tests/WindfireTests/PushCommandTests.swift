import Foundation
import NIOCore
import TestKit
import Testing

@testable import Windfire

/// `windfire push`: what it sends, and what it shows.
@Suite struct PushCommandTests {
    private func sent(_ name: String, _ content: [UInt8], _ body: PushBody) async throws -> (ListFile, String) {
        let folder = try TemporaryFolder("push")
        try Data(content).write(to: URL(fileURLWithPath: folder.path(name)))
        let file = try ListFile(path: folder.path(name), fields: body, skipsBadLines: name.contains("bad"))
        var bytes = ByteBuffer()
        for try await piece in file {
            #expect(piece.readableBytes <= 128 << 10)
            bytes.writeImmutableBuffer(piece)
        }
        return (file, String(buffer: bytes))
    }

    @Test func `a plain list is sent as NDJSON behind the push`() async throws {
        let (file, text) = try await sent(
            "ids.txt", Array("alice\r\n\n  bob \n\"q\"\\\nlast".utf8),
            PushBody(data: Array("{\n\"a\":1}".utf8), mode: "stored"))
        #expect(file.contentType == "application/x-ndjson")
        #expect(file.query == "")
        #expect(
            text == #"{"mode":"stored","data":{ "a":1}}"# + "\n\"alice\"\n\n\"bob\"\n" + #""\"q\"\\""# + "\n\"last\"\n")
    }

    @Test func `a table and NDJSON go as they are, the push beside the one and before the other`() async throws {
        let (table, text) = try await sent(
            "bad.CSV", Array("client\na\n".utf8), PushBody(data: Array(#""é &""#.utf8), dedupeKey: "k"))
        #expect(table.contentType == "text/csv")
        #expect(
            table.query == "?on_bad_line=skip&push=%7B%22dedupe_key%22%3A%22k%22%2C%22data%22%3A%22%C3%A9%20%26%22%7D")
        #expect(text == "client\na\n")
        let (_, lines) = try await sent("ids.ndjson", Array("\"a\"\n".utf8), PushBody(data: Array("1".utf8)))
        #expect(lines == "{\"data\":1}\n\"a\"\n")
        await #expect(throws: CommandFailure.self) {
            try await sent("ids.csv", [], PushBody(data: [UInt8](repeating: 0x31, count: 20_000)))
        }
    }

    @Test func `a long list is read piece by piece, wherever the pieces are cut`() async throws {
        let names = (0..<50_000).map { "user-\($0)" }
        let (_, text) = try await sent(
            "ids", Array(names.joined(separator: "\n").utf8), PushBody(data: Array("1".utf8)))
        #expect(text == "{\"data\":1}\n" + names.map { "\"\($0)\"\n" }.joined())
    }

    @Test func `a file that is no list of ids is refused`() async throws {
        await #expect(throws: CommandFailure.self) {
            try await sent("ids", [UInt8](repeating: 0x61, count: 200_000), PushBody(data: Array("1".utf8)))
        }
        #expect(throws: CommandFailure.self) {
            try ListFile(path: "/nonexistent/ids", fields: PushBody(data: []), skipsBadLines: false)
        }
    }

    @Test func `the options of a push stand in its body`() throws {
        let command = try #require(
            try Windfire.parseAsRoot([
                "push", "--to", "a", "--data", "1", "--stored", "--ttl", "90s", "--collapse-key", "c", "--dedupe-key",
                "d", "--rate", "7",
            ]) as? PushCommand)
        #expect(
            String(decoding: command.fields.push, as: UTF8.self)
                == #"{"mode":"stored","ttl_s":90,"collapse_key":"c","dedupe_key":"d","rate_per_s":7,"data":1}"#)
    }

    @Test(arguments: [
        ["--to", "a", "--data", "1", "--ttl", "0s"], ["--to", "a", "--data", "1", "--ttl", "soon"],
        ["--to", "a", "--data", "1", "--ttl", "10ms"], ["--to", "a", "--data", "1", "--rate", "0"],
        ["--to", "a", "--data", "1", "--skip-bad-lines"],
    ])
    func `options that mean nothing are refused`(_ options: [String]) {
        #expect(throws: (any Error).self) { try Windfire.parseAsRoot(["push"] + options) }
    }

    @Test(arguments: [
        (["--topic", "room/1"], #"{"to":{"topic":"room\/1"},"data":1}"#),
        (
            ["--topic", "a", "--topic", "b", "--dedupe-key", "k"],
            #"{"to":{"topics":["a","b"]},"dedupe_key":"k","data":1}"#
        ),
        (["--everyone", "--rate", "9"], #"{"to":{"everyone":true},"rate_per_s":9,"data":1}"#),
    ])
    func `topics and everyone are named instead of clients`(_ options: [String], _ body: String) throws {
        let command = try #require(try Windfire.parseAsRoot(["push", "--data", "1"] + options) as? PushCommand)
        let audience = try #require(command.audience)
        #expect(try String(buffer: command.fields.json(to: audience)) == body)
    }

    @Test(arguments: [
        ["--topic", "a", "--to", "b"], ["--topic", "a", "--everyone"], [], ["--topic", "a", "--stored"],
        ["--everyone", "--ttl", "1h"], ["--everyone", "--collapse-key", "k"], ["--topic", "a", "--rate", "5"],
    ])
    func `what does not go with topics is refused`(_ options: [String]) {
        #expect(throws: (any Error).self) { try Windfire.parseAsRoot(["push", "--data", "1"] + options) }
    }

    // What it shows.

    @Test func `a receipt of a topic counts, and names the nodes that failed`() throws {
        let one = #"""
            {"id":"i","topic":"room/1","nodes":2,"delivered":31,"refused":1,"failed_nodes":[],"position":"7-e"}
            """#
        #expect(
            try APIClient.decode(Data(one.utf8), as: TopicReceipt.self).text == """
                push i
                topic   nodes  delivered  refused  position
                room/1      2         31        1  7-e
                """)
        let several = #"""
            {"id":"i","results":[{"topic":"a","nodes":1,"delivered":0,"refused":0,
              "failed_nodes":[{"node":"n1","reason":"node_unavailable"}]},{"topic":"b","error":"routes_unavailable"}]}
            """#
        #expect(
            try APIClient.decode(Data(several.utf8), as: TopicReceipt.self).text == """
                push i
                topic  nodes  delivered  refused  position
                a          1          0        0
                b          -          -        -

                topic  node  reason
                a      n1    node_unavailable
                b      -     routes_unavailable
                """)
        let everyone = #"{"id":"i","everyone":true,"nodes":1,"delivered":5,"refused":0,"failed_nodes":[]}"#
        let text = try APIClient.decode(Data(everyone.utf8), as: TopicReceipt.self).text
        #expect(text.contains("\neveryone      1          5"))
    }

    @Test func `a receipt says who is waiting in the inbox and which lines were left out`() throws {
        let answer = #"""
            {"id":"i","total":3,"delivered":1,"offline":1,"failed":1,"stored":1,"bad_lines":{"count":3,"first":[2,9]},
             "results":[{"client":"alice","device":"phone","status":"delivered","node":"n1"},
                        {"client":"bob","status":"offline","stored":true},
                        {"client":"carol","status":"failed","reason":"expired"}]}
            """#
        #expect(
            try APIClient.decode(Data(answer.utf8), as: Receipt.self).text == """
                push i
                total  delivered  offline  stored  failed
                    3          1        1       1       1
                3 lines were no client ids: 2, 9, …

                client  device  status     node  reason
                alice   phone   delivered  n1
                bob     -       stored     -
                carol   -       failed     -     expired
                """)
    }

    @Test func `a job is shown by its chunks and ends with its receipt`() throws {
        let running = #"""
            {"state":"running","total":4000,"delivered":900,"offline":90,"stored":80,"failed":10,"acknowledged":700,
             "untried":3000,"done_chunks":1,"chunks":4,"mode":"stored"}
            """#
        let progress = try APIClient.decode(Data(running.utf8), as: JobProgress.self)
        #expect(!progress.isEnded)
        #expect(
            ProgressBar(width: 8).text(progress)
                == "[##------]  25 %  1/4 chunks, 900 delivered, 90 offline, 10 failed")
        #expect(
            progress.text(of: "j") == """
                job j running
                total  delivered  acknowledged  offline  stored  failed  untried  chunks
                 4000        900           700       90      80      10     3000  1/4
                """)
    }

    @Test func `nobody acknowledges a live push, and a job that failed says why`() throws {
        let failed = #"""
            {"state":"failed","reason":"the body ended early","total":2000,"delivered":0,"offline":0,"stored":0,
             "failed":0,"acknowledged":0,"untried":2000,"done_chunks":0,"chunks":2,"mode":"live"}
            """#
        #expect(
            try APIClient.decode(Data(failed.utf8), as: JobProgress.self).text(of: "j") == """
                job j failed: the body ended early
                total  delivered  acknowledged  offline  stored  failed  untried  chunks
                 2000          0             -        0       0       0     2000  0/2
                """)
    }

    @Test(arguments: [
        (
            #"{"job":"j","total":0,"resend_of":"i"}"#,
            "job j is for nobody: all others were delivered to, or their message waits"
        ),
        (#"{"job":"j","total":1,"resend_of":"i"}"#, "job j sends again to 1 client"),
        (#"{"job":"j","total":4500,"resend_of":"i"}"#, "job j sends again to 4500 clients"),
    ])
    func `a resend says to how many it goes`(_ answer: String, _ text: String) throws {
        #expect(try APIClient.decode(Data(answer.utf8), as: AcceptedJob.self).resendText == text)
    }
}
