internal import CAllocations
internal import Comparison
internal import DTXLinux

/// What one piece of work costs.
struct PieceResult: Codable {
  var name: String
  /// What is counted: a record, an entry, a block.
  var unit: String
  /// The median of the samples.
  var nanoseconds: Double
  /// What all threads used of the processors, over all samples.
  var processorNanoseconds: Double
  /// Exact, over one run behind the first.
  var allocations: Double
  /// Bytes a second, where bytes are what it works on.
  var bytesPerSecond: Double?
  /// What the work came to: it keeps the compiler from leaving it out, and two builds that differ
  /// here have not done the same.
  var outcome: UInt64
}

/// Measures pieces, one after another.
struct Stopwatch {
  private let only: [String]
  private let sampleCount: Int
  private(set) var results: [PieceResult] = []

  /// A sample lasts this long at least, so that the clock's own cost is nothing.
  private static let sampleNanoseconds: UInt64 = 20_000_000

  init(only: [String], sampleCount: Int) {
    self.only = only
    self.sampleCount = sampleCount
  }

  /// Times a body.
  ///
  /// - Parameters:
  ///   - name: for people.
  ///   - unit: what the body does `unitCount` of.
  ///   - unitCount: how many.
  ///   - unitByteCount: bytes of each, where bytes are what it works on.
  ///   - body: does the work once and returns something that depends on all of it.
  mutating func time(
    _ name: String,
    per unit: String,
    _ unitCount: Int,
    unitByteCount: Int? = nil,
    _ body: () -> UInt64
  ) {
    guard only.isEmpty || only.contains(where: { name.contains($0) }) else { return }
    // The first run fills caches, pools and what is made once.
    let outcome = body()
    let before = dtx_allocation_count()
    let began = Clock.now()
    var sum = body()
    let once = max(1, Clock.now() - began)
    let allocations = dtx_allocation_count() - before
    let repeats = Int(max(1, Stopwatch.sampleNanoseconds / once))

    let processor = Clock.processCPU()
    let samples = (0..<sampleCount).map { _ in
      let began = Clock.now()
      for _ in 0..<repeats { sum &+= body() }
      return Double(Clock.now() - began) / Double(repeats * unitCount)
    }
    let used = Double(Clock.processCPU() - processor)
    // A sum that nobody looks at would let the compiler drop the loop.
    precondition(sum != 0x6474_785f_6e6f_6e65 || outcome != sum, "chance is against it")
    let nanoseconds = Statistics.median(samples) ?? .nan
    results.append(
      PieceResult(
        name: name,
        unit: unit,
        nanoseconds: nanoseconds,
        processorNanoseconds: used / Double(sampleCount * repeats * unitCount),
        allocations: Double(allocations) / Double(unitCount),
        bytesPerSecond: unitByteCount.map { Double($0) * 1e9 / nanoseconds },
        outcome: outcome
      )
    )
  }

  /// For people.
  var table: String {
    var table = TextTable(["", "per", "ns", "CPU ns", "GB/s", "allocations"])
    for result in results {
      table.append([
        result.name,
        result.unit,
        Quantity.fixed(result.nanoseconds, result.nanoseconds < 1000 ? 1 : 0),
        Quantity.fixed(
          result.processorNanoseconds,
          result.processorNanoseconds < 1000 ? 1 : 0
        ),
        result.bytesPerSecond.map { Quantity.fixed($0 / 1e9, 2) } ?? "-",
        Quantity.fixed(result.allocations, 3),
      ])
    }
    return table.text
  }
}
