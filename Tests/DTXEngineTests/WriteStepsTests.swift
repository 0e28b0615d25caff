import DTXCore
import DTXLinux
import Testing

@testable import DTXEngine

@Suite struct WriteStepsTests {
  /// The steps behind a reference: an expectation may not change a value.
  private final class Block {
    private var steps = WriteSteps()

    func add(_ step: WriteSteps.Step) -> Bool { steps.add(step) }
    func next() -> WriteSteps.Step? { steps.next() }
    func nextWrite() -> WriteUnit? { steps.nextWrite() }
    func pause() -> Bool { steps.pause() }
    func defers(_ step: WriteSteps.Step) -> Bool { steps.defers(step) }
    func begin(_ unit: WriteUnit) { steps.begin(unit) }
    func end(leftover: WriteSteps.Step?) -> Bool { steps.end(leftover: leftover) }
    func release(_ unit: WriteUnit) -> Bool { steps.release(unit) }
  }

  private static func unit() throws -> WriteUnit {
    try WriteUnit(byteCount: RecordLayout.maximumPayloadByteCount)
  }

  private static let error = SystemError(operation: "write", subject: "f", number: 5)

  @Test func oneWorkerHasABlock() throws {
    let steps = Block()
    let unit = try Self.unit()
    #expect(steps.add(.write(unit)))
    #expect(!steps.add(.abandon))
    guard case .write = steps.next() else { throw Unexpected.step }
    guard case .abandon = steps.next() else { throw Unexpected.step }
    #expect(steps.next() == nil)
    #expect(steps.release(unit))
  }

  @Test func unitsFollowOneAnotherAndTheEndWaitsForTheirWrites() throws {
    let steps = Block()
    let units = [try Self.unit(), try Self.unit()]
    #expect(steps.add(.write(units[0])))
    for unit in units {
      guard case .write = steps.next() else { throw Unexpected.step }
      steps.begin(unit)
      #expect(!steps.release(unit))
      if unit === units[0] { #expect(!steps.add(.write(units[1]))) }
    }
    // The worker goes; what comes now needs none before the last write is over.
    #expect(steps.next() == nil)
    #expect(!steps.add(.end(sent: [])))
    #expect(steps.release(units[1]))
    #expect(!steps.end(leftover: nil))
    #expect(steps.release(units[0]))
    #expect(steps.end(leftover: nil))
    guard case .end = steps.next() else { throw Unexpected.step }
    #expect(steps.next() == nil)
  }

  @Test func whatTheRingDidNotDoComesBeforeAllElse() throws {
    let steps = Block()
    let unit = try Self.unit()
    #expect(steps.add(.write(unit)))
    guard case .write = steps.next() else { throw Unexpected.step }
    steps.begin(unit)
    steps.begin(unit)
    #expect(steps.defers(.rest(unit, piece: 1, written: 5)))
    #expect(!steps.end(leftover: .again(unit, piece: 0, bytes: 1..<2)))
    // Further units must not begin either: what failed may end the extent.
    #expect(!steps.add(.abandon))
    #expect(steps.next() == nil)
    #expect(!steps.release(unit))
    #expect(steps.end(leftover: .failed(extent: 0, Self.error)))
    guard case .again(_, piece: 0, bytes: 1..<2) = steps.next() else { throw Unexpected.step }
    guard case .failed(extent: 0, Self.error) = steps.next() else { throw Unexpected.step }
    #expect(!steps.release(unit))
    guard case .rest(_, piece: 1, written: 5) = steps.next() else { throw Unexpected.step }
    #expect(!steps.defers(.rest(unit, piece: 1, written: 5)))
    #expect(steps.release(unit))
    guard case .abandon = steps.next() else { throw Unexpected.step }
  }

  /// The connection's thread gives the ring a unit itself, and then finds out whether a worker is
  /// needed.
  @Test func whoPausesKeepsABlockThatCanGoOn() throws {
    let steps = Block()
    let unit = try Self.unit()
    #expect(steps.add(.write(unit)))
    guard case .write = steps.next() else { throw Unexpected.step }
    steps.begin(unit)
    // It fails while the thread still has the block, so that nobody else is told.
    #expect(!steps.release(unit))
    #expect(steps.release(unit))
    #expect(!steps.end(leftover: .failed(extent: 0, Self.error)))
    #expect(steps.pause())
    guard case .failed = steps.next() else { throw Unexpected.step }
    #expect(steps.next() == nil)
    #expect(steps.add(.write(unit)))
    guard case .write = steps.next() else { throw Unexpected.step }
    steps.begin(unit)
    #expect(!steps.pause())
    #expect(!steps.add(.end(sent: [])))
    #expect(steps.end(leftover: nil))
  }

  /// A write ends between the moment at which the connection's thread takes the block and the one at
  /// which it wants its unit: what that write left over must not be lost.
  @Test(arguments: [false, true])
  func whatIsLeftOverStaysWhereAUnitIsWanted(_ isLast: Bool) throws {
    let steps = Block()
    let units = [try Self.unit(), try Self.unit()]
    #expect(steps.add(.write(units[0])))
    guard case .write = steps.next() else { throw Unexpected.step }
    steps.begin(units[0])
    if !isLast { steps.begin(units[0]) }
    #expect(!steps.pause())
    #expect(steps.add(.write(units[1])))
    #expect(!steps.end(leftover: .failed(extent: 0, Self.error)))
    #expect(steps.nextWrite() == nil)
    // The block is still the thread's, which finds a worker for it.
    if !isLast {
      #expect(steps.next() == nil)
      #expect(steps.end(leftover: nil))
    }
    guard case .failed(extent: 0, Self.error) = steps.next() else { throw Unexpected.step }
    #expect(steps.nextWrite() === units[1])
    #expect(steps.next() == nil)
  }

  private enum Unexpected: Error { case step }
}
