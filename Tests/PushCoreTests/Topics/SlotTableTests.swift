import PushCore
import Testing

struct SlotTableTests {
    private func place<Element>(_ element: Element, in table: inout SlotTable<Element>) throws -> SubscriberSlot {
        let slot = table.insert(element)
        return try #require(slot)
    }

    @Test func aSlotLeadsToItsSessionUntilItIsGivenBack() {
        var table = SlotTable<String>()
        let slot = table.insert("alice")
        #expect(slot.flatMap { table[$0] } == "alice")
        #expect(slot.flatMap { table.remove($0) } == "alice")
        #expect(slot.flatMap { table[$0] } == nil)
        #expect(slot.flatMap { table.remove($0) } == nil, "given back twice is given back once")
        #expect(table.count == 0)
    }

    @Test func aStaleSlotIsNotTheNextSession() throws {
        var table = SlotTable<String>(countMax: 1)
        let stale = try place("alice", in: &table)
        table.remove(stale)
        let present = try place("bob", in: &table)
        #expect(present.place == stale.place)
        #expect(present != stale)
        #expect(table[stale] == nil)
        #expect(table[present] == "bob")
        table.remove(stale)
        #expect(table[present] == "bob")
    }

    /// While there is room, a place rests before it is given to another: generations of a busy place last longer.
    @Test func placesRestBeforeTheyAreGivenOn() throws {
        var table = SlotTable<Int>()
        let slots = try (0..<1_000).map { try place($0, in: &table) }
        for slot in slots.prefix(65) { table.remove(slot) }
        #expect(try place(0, in: &table).place == slots[0].place, "the one that rested longest")
        #expect(try place(0, in: &table).place == 1_000, "64 are left to rest")
        #expect(table.count == 937)
    }

    @Test func aFullTableTakesNoMore() throws {
        var table = SlotTable<Int>(countMax: 2)
        let first = try place(1, in: &table)
        #expect(table.insert(2) != nil)
        #expect(table.insert(3) == nil)
        table.remove(first)
        #expect(table.insert(3) != nil)
        #expect(table.insert(4) == nil)
    }

    @Test(arguments: [(0, 0), (1, 255), (SubscriberSlot.countMax - 1, 7)] as [(Int, UInt8)])
    func aSlotIsItsPlaceAndGeneration(_ place: Int, _ generation: UInt8) {
        let slot = SubscriberSlot(place: place, generation: generation)
        #expect(slot.place == place)
        #expect(slot.generation == generation)
    }
}
