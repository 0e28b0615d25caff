internal import DTXCore

/// What people are told of a new generation of the plans.
struct GenerationNotice: CustomStringConvertible {
  private let revision: Revision
  private let inputs: PlanInputs

  /// - Parameters:
  ///   - revision: what the session changed.
  ///   - inputs: that name the lanes.
  init(_ revision: Revision, _ inputs: PlanInputs) {
    self.revision = revision
    self.inputs = inputs
  }

  var description: String {
    if revision.isAsked { return "as you set it: \(consequence)" }
    var causes: [String] = []
    for (index, queue) in inputs.queues.enumerated() {
      guard let before = revision.from.queues[index].rate,
        let after = revision.to.queues[index].rate, before != after
      else { continue }
      causes.append(cause(queue, from: before, to: after))
    }
    if causes.isEmpty { causes.append("the lanes are not where the plan had them") }
    return "\(causes.joined(separator: ", ")): \(consequence)"
  }

  private func cause(_ queue: LaneQueue, from before: Rate, to after: Rate) -> String {
    let first = queue.lanes[0]
    let isPool = queue.lanes.count > 1
    let name = isPool ? "the pool of lanes" : LaneProof.name(first, inputs.lanes[first])
    let seconds = Limits.lanePatienceNanoseconds / Duration.second
    if after.bitsPerSecond == 0 { return "\(name) has had no connection for \(seconds) s" }
    let percent = Int(
      clamping: UInt128(after.bitsPerSecond) * 100 / UInt128(max(1, queue.rate?.bitsPerSecond ?? 1))
    )
    if before.bitsPerSecond == 0 { return "\(name) is back" }
    if percent >= 100 { return "\(name) has its rate again" }
    return "\(name) carries \(percent) % of its rate"
  }

  private var consequence: String {
    let left = revision.plans.reduce(UInt64(0)) { $0 + $1.byteCount }
    guard revision.movedByteCount > 0, left > 0 else {
      return "the plan counts on that from now on (generation \(revision.to.number))"
    }
    let percent = UInt128(revision.movedByteCount) * 100 / UInt128(left)
    let part = percent == 0 ? "less than 1 %" : "\(percent) %"
    return "\(part) of what is left goes over other lanes (generation \(revision.to.number))"
  }
}
