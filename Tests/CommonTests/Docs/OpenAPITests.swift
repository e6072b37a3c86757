import Foundation
import TestKit
import Testing
import Yams

/// docs/openapi.yaml is held together: what it refers to is there, and every call says who may make it.
struct OpenAPITests {
    let root: Node

    init() throws { root = try #require(try Yams.compose(yaml: Repository.text("docs/openapi.yaml"))) }

    @Test func everyReferenceLeadsSomewhere() throws {
        var references: [String] = []
        Self.collect(root, into: &references)
        #expect(references.count > 20)
        for reference in references {
            var node: Node? = root
            for name in reference.dropFirst(2).split(separator: "/") { node = node?[String(name)] }
            #expect(node != nil, "\(reference)")
        }
    }

    @Test func everyCallSaysWhoMayMakeIt() throws {
        for (path, operations) in try #require(root["paths"]?.mapping) {
            for (method, operation) in try #require(operations.mapping) {
                let name = "\(method.string ?? "") \(path.string ?? "")"
                #expect(operation["security"]?.sequence?.isEmpty == false, "\(name)")
                #expect(operation["operationId"]?.string != nil, "\(name)")
                #expect(operation["responses"]?.mapping?.isEmpty == false, "\(name)")
            }
        }
    }

    private static func collect(_ node: Node, into references: inout [String]) {
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                if key.string == "$ref", let reference = value.string { references.append(reference) }
                collect(value, into: &references)
            }
        case .sequence(let sequence): for value in sequence { collect(value, into: &references) }
        case .scalar, .alias: break
        }
    }
}
