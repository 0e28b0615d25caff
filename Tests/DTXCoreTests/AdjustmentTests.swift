import DTXCore
import Testing

@Suite struct AdjustmentTests {
  private func lane(_ bits: UInt64?, _ contract: LaneContract = .bestEffort) -> Lane {
    Lane(contract: contract, rate: bits.map { Rate(bitsPerSecond: $0) }, connectionCount: 2)
  }

  @Test("lanes share another rate as they shared the first")
  func sharesAsBefore() throws {
    let asked = [lane(2000), lane(6000, .reserved)]
    // Of the second one 97 % are used.
    let planned = [lane(2000), lane(5820, .reserved)]
    let half = try Adjustment.sharing(Rate(bitsPerSecond: 4000), among: asked, planned: planned)
    #expect(half == .rates([Rate(bitsPerSecond: 1000), Rate(bitsPerSecond: 2910)]))
  }

  @Test("lanes without rates share one evenly")
  func ratesTheUnrated() throws {
    let lanes = [lane(nil), lane(nil), lane(nil)]
    let shared = try Adjustment.sharing(Rate(bitsPerSecond: 100), among: lanes, planned: lanes)
    #expect(shared == .rates([34, 33, 33].map { Rate(bitsPerSecond: $0) }))
  }

  @Test("what was admitted, and what a lane needs, bounds a rate")
  func refuses() throws {
    for lanes in [[lane(1000, .reserved), lane(1000)], [lane(2000)]] {
      let most = Rate(bitsPerSecond: 2000)
      _ = try Adjustment.sharing(most, among: lanes, planned: lanes)
      for bits in [2001, 1] as [UInt64] {
        #expect(throws: Adjustment.Refusal.self) {
          try Adjustment.sharing(Rate(bitsPerSecond: bits), among: lanes, planned: lanes)
        }
      }
    }
    #expect(throws: Adjustment.Refusal.self) {
      try Adjustment.sharing(Rate(bitsPerSecond: .max), among: [lane(nil)], planned: [lane(nil)])
    }
  }
}
