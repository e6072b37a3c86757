/// How the places of one `lease` call are shared among the jobs that wait, the least recently served first: one each in
/// turn, until the places are taken or nobody has anything left.
package enum FairShare {
    /// - Parameter pending: chunks each job has left, in the order of service.
    /// - Returns: how many each gets, in the same order.
    package static func allot(_ places: Int, among pending: [Int]) -> [Int] {
        var given = pending.map { _ in 0 }
        var left = places
        while left > 0 {
            var gaveSome = false
            for job in pending.indices where left > 0 && given[job] < pending[job] {
                given[job] += 1
                left -= 1
                gaveSome = true
            }
            guard gaveSome else { break }
        }
        return given
    }
}
