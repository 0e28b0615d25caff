import DTXCore
import Testing

@Suite struct AdmissionTests {
  private static let now = WallInstant(seconds: 1_000_000)

  /// Two reserved lanes of 64 kb/s, and about 1.3 s of work on each.
  private func prediction() throws -> (Prediction, [LaneDescription]) {
    let inputs = PredictionTests.inputs([64_000, 64_000])
    let prediction = try PredictionTests.predict([PredictionTests.segment([20_000])], inputs)
    return (prediction, inputs.lanes.map { LaneDescription($0) })
  }

  private func terms(_ lanes: [LaneDescription], _ remaining: UInt64? = nil) -> AdmissionTerms {
    AdmissionTerms(lanes: lanes, remainingNanoseconds: remaining, now: AdmissionTests.now)
  }

  @Test func aDeadlineIsMetToTheNanosecond() throws {
    let (prediction, lanes) = try prediction()
    #expect(prediction.refusal(terms(lanes)) == nil)
    #expect(prediction.refusal(terms(lanes, prediction.finish)) == nil)
    let refusal = prediction.refusal(terms(lanes, prediction.finish - 1))
    guard case .late(1, let needed?) = refusal else {
      Issue.record("\(String(describing: refusal))")
      return
    }
    #expect(needed > Rate(bitsPerSecond: 128_000))
    #expect(needed < Rate(bitsPerSecond: 129_000))
  }

  @Test func aDeadlineThatHasPassedIsMetByNoRate() throws {
    let (prediction, lanes) = try prediction()
    #expect(
      prediction.refusal(terms(lanes, 0))
        == .late(byNanoseconds: prediction.finish, needed: nil)
    )
  }

  @Test func aLaneThatIsNotDoneWithinItsWindowIsNamed() throws {
    var (prediction, lanes) = try prediction()
    let finish = prediction.lanes[1].finish
    let end = AdmissionTests.now.advanced(by: finish)
    lanes[1].window = LaneWindow(from: nil, until: end)
    #expect(prediction.refusal(terms(lanes)) == nil)
    let early = AdmissionTests.now.advanced(by: finish - 5)
    lanes[1].window = LaneWindow(from: nil, until: early)
    #expect(
      prediction.refusal(terms(lanes))
        == .windowTooShort(lane: 1, until: early, byNanoseconds: 5)
    )
    // The deadline comes first.
    guard case .late = prediction.refusal(terms(lanes, 1)) else {
      Issue.record("the deadline was passed over")
      return
    }
  }

  @Test func whatBeginsLaterEndsLater() throws {
    var (prediction, lanes) = try prediction()
    let begin = AdmissionTests.now.advanced(by: 1000)
    let end = begin.advanced(by: prediction.lanes[0].finish)
    lanes[0].window = LaneWindow(from: begin, until: end)
    #expect(terms(lanes).beginning == begin)
    #expect(prediction.refusal(terms(lanes, prediction.finish + 1000)) == nil)
    guard case .late(1, _) = prediction.refusal(terms(lanes, prediction.finish + 999)) else {
      Issue.record("the wait for the window was not counted")
      return
    }
  }

  @Test func aLaneWithoutWorkNeedsNoWindow() throws {
    let inputs = PredictionTests.inputs([64_000, 64_000])
    let prediction = try PredictionTests.predict([PredictionTests.segment([500])], inputs)
    var lanes = inputs.lanes.map { LaneDescription($0) }
    #expect(prediction.lanes[1].byteCount == 0)
    lanes[1].window = LaneWindow(from: nil, until: AdmissionTests.now)
    #expect(prediction.refusal(terms(lanes)) == nil)
  }

  @Test func onlyDeadlinesAndEndsOfWindowsAskForThePlanOfTheWhole() {
    var lane = LaneDescription(Lane.split(Rate(bitsPerSecond: 10), over: 1)[0])
    #expect(!AdmissionTerms.isDemanded(of: [lane], deadline: nil))
    #expect(AdmissionTerms.isDemanded(of: [lane], deadline: .after(nanoseconds: 1)))
    lane.window = LaneWindow(from: AdmissionTests.now, until: nil)
    #expect(!AdmissionTerms.isDemanded(of: [lane], deadline: nil))
    lane.window = LaneWindow(from: nil, until: AdmissionTests.now)
    #expect(AdmissionTerms.isDemanded(of: [lane], deadline: nil))
  }

  @Test func deadlinesAreDurationsOrTimes() {
    #expect(Deadline("2h") == .after(nanoseconds: 7200 * Duration.second))
    #expect(Deadline("1970-01-02T00:00:00Z") == .at(WallInstant(seconds: 86_400)))
    for text in ["", "0s", "soon", "-2h", "1970-01-02"] {
      #expect(Deadline(text) == nil, "\(text)")
    }
  }

  @Test func whatIsLeftCountsFromTheAsking() {
    let asked = WallInstant(seconds: 100)
    let later = WallInstant(seconds: 103, nanoseconds: 5)
    let tenSeconds = Deadline.after(nanoseconds: 10 * Duration.second)
    #expect(tenSeconds.remaining(asked: asked, at: asked) == 10 * Duration.second)
    #expect(tenSeconds.remaining(asked: asked, at: later) == 7 * Duration.second - 5)
    #expect(tenSeconds.remaining(asked: asked, at: WallInstant(seconds: 111)) == 0)
    // A clock that was set back meanwhile lengthens nothing.
    #expect(tenSeconds.remaining(asked: later, at: asked) == 10 * Duration.second)
    let at = Deadline.at(WallInstant(seconds: 104))
    #expect(at.remaining(asked: asked, at: later) == Duration.second - 5)
    #expect(at.remaining(asked: asked, at: WallInstant(seconds: 104)) == 0)
  }

  @Test func spansOfTimeAreExact() {
    let early = WallInstant(seconds: -1, nanoseconds: 999_999_999)
    let late = WallInstant(seconds: 1, nanoseconds: 1)
    #expect(early.nanoseconds(until: late) == 1_000_000_002)
    #expect(late.nanoseconds(until: early) == 0)
    #expect(early.advanced(by: 1_000_000_002) == late)
    #expect(
      WallInstant(seconds: .min).nanoseconds(until: WallInstant(seconds: .max)) == .max
    )
  }
}

@Suite struct SpaceDemandTests {
  @Test func whatIsWantedIsCountedAsItIsStored() {
    let segment = PredictionTests.segment([1, 1000, 5000])
    var comparison = Comparison(extentCount: segment.extents.count)
    comparison.wanted = BitSet(count: segment.extents.count, filled: true)
    comparison.madeEntryCount = 3
    var demand = SpaceDemand()
    demand.add(segment, comparison)
    // A file of 5000 bytes is five extents of a block of 1000 each.
    #expect(demand.byteCount == UInt64(segment.extents.count) * (4096 + 256))
    #expect(demand.inodeCount == 3)
    demand.add(segment, Comparison(extentCount: segment.extents.count))
    #expect(demand.inodeCount == 3, "what is there takes nothing")
  }

  @Test func whatIsShortIsNamedByHowMuch() {
    let segment = PredictionTests.segment([1000])
    var comparison = Comparison(extentCount: segment.extents.count)
    comparison.wanted = BitSet(count: segment.extents.count, filled: true)
    comparison.madeEntryCount = 2
    var demand = SpaceDemand()
    demand.add(segment, comparison)
    let bytes = demand.byteCount
    func shortage(_ byteCount: UInt64?, _ inodeCount: UInt64?) -> SpaceShortage? {
      demand.shortage(in: SpaceRoom(place: "p", byteCount: byteCount, inodeCount: inodeCount))
    }
    #expect(shortage(bytes, 2) == nil)
    #expect(shortage(nil, nil) == nil)
    #expect(shortage(bytes - 1, 2) == SpaceShortage(place: "p", byteCount: 1, inodeCount: 0))
    #expect(shortage(nil, 0) == SpaceShortage(place: "p", byteCount: 0, inodeCount: 2))
  }
}
