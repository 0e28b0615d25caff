import DTXCore
import Testing

@Suite struct BitSetTests {
  @Test(arguments: [0, 1, 63, 64, 65, 127, 128, 200])
  func aFilledSetHoldsEachIndexAndNoMore(count: Int) {
    let filled = BitSet(count: count, filled: true)
    #expect(filled.population == count)
    #expect(filled.isEmpty == (count == 0))
    #expect(filled.next(from: 0, where: false) == nil)
    #expect(filled.runs(in: 0..<count) == (count == 0 ? [] : [0..<count]))
    var set = BitSet(count: count)
    #expect(set.isEmpty)
    for index in 0..<count { set[index] = true }
    #expect(set == filled)
    for index in 0..<count { set[index] = false }
    #expect(set == BitSet(count: count))
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func itAgreesWithAnArrayOfFlags(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    let count = 1 + numbers.below(150)
    var set = BitSet(count: count)
    var flags = Array(repeating: false, count: count)
    for _ in 0..<count {
      let index = numbers.below(count)
      let value = numbers.below(3) > 0
      set[index] = value
      flags[index] = value
    }
    #expect(flags.indices.allSatisfy { set[$0] == flags[$0] })
    #expect(set.population == flags.filter { $0 }.count)
    for start in 0...count {
      for value in [true, false] {
        let expected = flags.indices.first { $0 >= start && flags[$0] == value }
        #expect(set.next(from: start, where: value) == expected, "seed \(seed)")
      }
    }
    let low = numbers.below(count)
    let high = low + numbers.below(count - low + 1)
    var covered: [Int] = []
    var previous: Range<Int>?
    for run in set.runs(in: low..<high) {
      covered.append(contentsOf: run)
      if let previous { #expect(previous.upperBound < run.lowerBound, "runs are maximal") }
      previous = run
    }
    #expect(covered == (low..<high).filter { flags[$0] }, "seed \(seed)")
  }
}
