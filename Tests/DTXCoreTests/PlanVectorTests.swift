import DTXCore
import Testing

/// Holds plans to dtx-protocol(7), "Plans".
///
/// The plans were computed from the page by another program, in another language.
@Suite struct PlanVectorTests {
  /// Long files, packs of a directory and of the top, holes, and a long file of one extent.
  private static var large: Segment {
    var tree = Tree()
    tree.add("", .directory, mode: 0o755)
    tree.add("a", byteCount: 70 * 65536 - 1000)
    tree.add("d", .directory, mode: 0o755)
    tree.add("d/x", byteCount: 40_000)
    tree.add("d/y", byteCount: 30_000)
    tree.add("d/z", byteCount: 20_000)
    let ranges: [Range<UInt64>] = [0..<4096, 131_072..<231_072]
    tree.add("h", byteCount: 1 << 20, attributes: [.dataRanges(ranges)])
    tree.add("o", byteCount: 1_100_000, attributes: [.dataRanges([1_000_000..<1_001_000])])
    tree.add("p", byteCount: 5000)
    tree.add("q", byteCount: 40 * 65536)
    return segment(0, tree)
  }

  private static func small(_ index: Int) -> Segment {
    var tree = Tree()
    tree.add("r", .directory, mode: 0o755)
    tree.add("r/e", byteCount: 1000)
    tree.add("r/f", byteCount: 70_000)
    return segment(index, tree)
  }

  private static func segment(_ index: Int, _ tree: Tree) -> Segment {
    Segment(index: index, isLast: false, inventory: tree.inventory(), blockByteCount: 65536)
  }

  /// All extents but those that begin at these places.
  private static func wanted(_ segment: Segment, but kept: [(String, UInt64)]) -> BitSet {
    var wanted = BitSet(count: segment.extents.count, filled: true)
    for (index, extent) in segment.extents.enumerated() {
      let path = String(decoding: segment.inventory.path(of: Int(extent.entry)), as: UTF8.self)
      if kept.contains(where: { $0 == (path, extent.offset) }) { wanted[index] = false }
    }
    return wanted
  }

  private static func keptOfLarge(_ segment: Segment) -> BitSet {
    let block: UInt64 = 65536
    return wanted(
      segment,
      but: [("a", 3 * block), ("a", 4 * block), ("a", 5 * block), ("d/y", 0), ("h", 131_072)]
    )
  }

  private func carried(_ free: UInt64...) -> Generation {
    var generation = Generation(InputSamples.rated)
    for (queue, free) in free.enumerated() { generation.queues[queue].free = free }
    return generation
  }

  @Test func aGoldenPlanHolds() {
    let segment = Self.large
    let plan = Scheduler.plan(
      segment,
      wanted: Self.keptOfLarge(segment),
      inputs: InputSamples.rated,
      generation: Generation(InputSamples.rated)
    )
    let queues = hex(
      """
      02                              # 2 queues
      1b                              # queue 0: 27 runs
      020509020f02130217021d0221022502# 2+5, 9+2, 15+2, 19+2, 23+2, 29+2, 33+2, 37+2
      2b022f02330239023d02410245014803# 43+2, 47+2, 51+2, 57+2, 61+2, 65+2, 69+1, 72+3
      4f02530259025d02610267026a016d01# 79+2, 83+2, 89+2, 93+2, 97+2, 103+2, 106+1, 109+1
      6f0171017401                    # 111+1, 113+1, 116+1
      b8a5ba01                        # 3052216 bytes
      dce3fa0000000000                # finish 16442332 ns
      24                              # queue 1: 36 runs
      000207020b020d021102150219021b02# 0+2, 7+2, 11+2, 13+2, 17+2, 21+2, 25+2, 27+2
      1f022302270229022d02310235023702# 31+2, 35+2, 39+2, 41+2, 45+2, 49+2, 53+2, 55+2
      3b023f02430246024b024d0251025502# 59+2, 63+2, 67+2, 70+2, 75+2, 77+2, 81+2, 85+2
      57025b025f026302650269016b016c01# 87+2, 91+2, 95+2, 99+2, 101+2, 105+1, 107+1, 108+1
      6e01700172017301                # 110+1, 112+1, 114+1, 115+1
      d083f801                        # 4063696 bytes
      4886fa0000000000                # finish 16418376 ns
      """
    )
    let start = hex("0100 00000000 00  # rules 1, generation 0, segment 0")
    #expect(plan.encoded(with: InputSamples.rated) == start + InputSamples.ratedForm + queues)
    #expect(plan.digest(with: InputSamples.rated).hex(16) == "ef138757b67a05bd51910479a60c9d6a")
    #expect(plan.finish == 16_442_332)
  }

  @Test func aGoldenPlanWithoutRatesHolds() {
    let segment = Self.large
    let plan = Scheduler.plan(
      segment,
      wanted: Self.keptOfLarge(segment),
      inputs: InputSamples.unrated,
      generation: Generation(InputSamples.unrated)
    )
    let queues = hex(
      """
      01                              # 1 queue
      28                              # 40 runs
      0003060309030c030f03120315031803# 0+3, 6+3, 9+3, 12+3, 15+3, 18+3, 21+3, 24+3
      1b031e032103240327032a032d033003# 27+3, 30+3, 33+3, 36+3, 39+3, 42+3, 45+3, 48+3
      3303360339033c033f03420345014602# 51+3, 54+3, 57+3, 60+3, 63+3, 66+3, 69+1, 70+2
      48034b024d0350035303560359035c03# 72+3, 75+2, 77+3, 80+3, 83+3, 86+3, 89+3, 92+3
      5f036203650368036b036e0371037401# 95+3, 98+3, 101+3, 104+3, 107+3, 110+3, 113+3, 116+1
      88a9b203                        # 7115912 bytes
      ffffffffffffffff                # no finish
      """
    )
    let start = hex("0100 00000000 00  # rules 1, generation 0, segment 0")
    #expect(plan.encoded(with: InputSamples.unrated) == start + InputSamples.unratedForm + queues)
    #expect(plan.digest(with: InputSamples.unrated).hex(16) == "2eb0be256ca287cc256559aa537a5656")
    #expect(plan.finish == nil)
  }

  @Test func finishTimesGoFromSegmentToSegment() {
    let next = Self.small(1)
    let plan = Scheduler.plan(
      next,
      wanted: Self.wanted(next, but: []),
      inputs: InputSamples.rated,
      generation: carried(16_442_332, 16_418_376)
    )
    let queues = hex(
      """
      02                              # 2 queues
      01                              # queue 0: 1 run
      0201                            # 2+1
      f022                            # 4464 bytes
      cc41fb0000000000                # finish 16466380 ns
      02                              # queue 1: 2 runs
      00010101                        # 0+1, 1+1
      e88704                          # 66536 bytes
      64a0fe0000000000                # finish 16687204 ns
      """
    )
    let start = hex("0100 00000000 01  # rules 1, generation 0, segment 1")
    #expect(plan.encoded(with: InputSamples.rated) == start + InputSamples.ratedForm + queues)
    #expect(plan.digest(with: InputSamples.rated).hex(16) == "e56b60464c30901b61b424b0edaeac7b")
  }

  @Test func aPlanOfNothingCarriesTheFinishTimesOn() {
    let last = Self.small(2)
    let plan = Scheduler.plan(
      last,
      wanted: BitSet(count: last.extents.count),
      inputs: InputSamples.rated,
      generation: carried(16_466_380, 16_687_204)
    )
    let queues = hex(
      """
      02                              # 2 queues
      00                              # queue 0: 0 runs
      00                              # 0 bytes
      cc41fb0000000000                # finish 16466380 ns
      00                              # queue 1: 0 runs
      00                              # 0 bytes
      64a0fe0000000000                # finish 16687204 ns
      """
    )
    let start = hex("0100 00000000 02  # rules 1, generation 0, segment 2")
    #expect(plan.encoded(with: InputSamples.rated) == start + InputSamples.ratedForm + queues)
    #expect(plan.digest(with: InputSamples.rated).hex(16) == "0a9cfd99e0d6042644c34a9d26a18cee")
  }
}
