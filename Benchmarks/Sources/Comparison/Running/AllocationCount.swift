internal import Glibc

/// What dtx allocates while it moves bytes that nobody made to a place where nobody keeps them.
package struct AllocationCount: Sendable, Equatable {
  /// One end of a transfer.
  package enum End: String, CaseIterable, Sendable {
    case sender
    case receiver
  }

  /// Blocks that were moved.
  package let blockCount: Int
  /// Records that each block was sent as.
  package let recordsPerBlock: Int
  /// Calls of malloc and its relatives, from each end's start to its exit.
  package let allocations: [End: Int]

  /// What a record carries.
  private static let recordByteCount = 256 << 10

  /// Counts one transfer.
  ///
  /// - Parameters:
  ///   - blockCount: how many blocks are moved.
  ///   - recordsPerBlock: how many records each takes.
  ///   - cipher: of the lanes, by its name.
  ///   - program: dtx.
  ///   - counter: the library that counts, put before the C library's.
  ///   - directory: an empty one for what is written meanwhile.
  /// - Returns: the counts of both ends.
  /// - Throws: when the program fails, or one end said nothing.
  package static func take(
    blockCount: Int,
    recordsPerBlock: Int,
    cipher: String,
    program: String,
    counter: String,
    directory: String
  ) throws(HarnessError) -> AllocationCount {
    let counts = "\(directory)/counts", log = "\(directory)/log"
    unlink(counts)
    let blockByteCount = recordsPerBlock * recordByteCount
    let arguments = [
      program, "push", "--quiet", "--cipher", cipher, "--compress", "off",
      "--source-null", "\(blockCount * blockByteCount)", "--block-size", "\(blockByteCount)",
      "--sink-null", "\(directory)/nowhere",
    ]
    let variables = ["LD_PRELOAD": counter, "DTX_ALLOCATIONS": counts]
    let pid = try Spawning.start(arguments, environment: variables, output: log)
    let status = Spawning.wait(pid).status
    guard status == 0 else {
      let said = MachineFile.text(log).trimmed.suffix(500)
      throw HarnessError("\(program) ended with status \(status): \(said)")
    }
    var allocations: [End: Int] = [:]
    for line in MachineFile.text(counts).split(separator: "\n") {
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      guard numbers.count == 2 else { continue }
      // The end that was started is the one that sends; the other is its child.
      allocations[numbers[0] == Int(pid) ? .sender : .receiver] = numbers[1]
    }
    guard allocations.count == End.allCases.count else {
      throw HarnessError("\(program) is not counted by \(counter): is it linked statically?")
    }
    return AllocationCount(
      blockCount: blockCount,
      recordsPerBlock: recordsPerBlock,
      allocations: allocations
    )
  }

  /// What each record more costs an end.
  ///
  /// - Parameters:
  ///   - end: which.
  ///   - other: as many blocks, of more records each.
  /// - Returns: calls, which scatter around what it is.
  package func perRecord(_ end: End, _ other: AllocationCount) -> Double {
    let records = blockCount * (other.recordsPerBlock - recordsPerBlock)
    return Double(other[end] - self[end]) / Double(records)
  }

  /// What each block more costs an end.
  ///
  /// - Parameters:
  ///   - end: which.
  ///   - other: more blocks, of as many records each.
  /// - Returns: calls.
  package func perBlock(_ end: End, _ other: AllocationCount) -> Double {
    Double(other[end] - self[end]) / Double(other.blockCount - blockCount)
  }

  private subscript(end: End) -> Int { allocations[end] ?? 0 }
}
