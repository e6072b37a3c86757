extension Array where Element: Sendable {
    /// Transforms all elements, at most so many at once; the results stand in the order of the elements.
    func concurrentMap<Result: Sendable>(
        atOnce: Int, _ transform: @escaping @Sendable (Element) async -> Result
    ) async -> [Result] {
        precondition(atOnce > 0, "at least one at once")
        guard count > 1 else {
            guard let only = first else { return [] }
            return [await transform(only)]
        }
        return await withTaskGroup(of: (Int, Result).self) { group in
            var next = 0
            func addOne() {
                let (place, element) = (next, self[next])
                group.addTask { (place, await transform(element)) }
                next += 1
            }
            while next < Swift.min(atOnce, count) { addOne() }
            var results = [Result?](repeating: nil, count: count)
            for await (place, result) in group {
                results[place] = result
                if next < count { addOne() }
            }
            return results.compactMap(\.self)
        }
    }
}
