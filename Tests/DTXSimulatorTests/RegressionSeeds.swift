import DTXSimulator
import Testing

/// Seeds that show a bug when its correction is taken back; each bug has a scene of its own in the
/// session tests too, which stays when the drawing of worlds changes.
@Suite struct RegressionSeeds {
  @Test(
    "what was found stays fixed",
    arguments: [
      (UInt64(1508), "a segment committed while an earlier one waits for this end's own report"),
      (2384, "a segment committed while an earlier one waits for this end's own report"),
      (919, "the receiver's roots while the sender still waits for a thread's report"),
      (1502, "the receiver's roots while the sender still waits for a thread's report"),
      (642, "no answer to the fence of a connection that is gone already"),
      (498, "no word of a connection that was never up at the receiver"),
      (5, "segments planned in the order in which a disk was done with them"),
      (351, "a deadline in the past while a stop waits for its epoch"),
      (450, "a deadline in the past while a stop waits for its epoch"),
    ]
  )
  func staysFixed(seed: UInt64, bug: String) {
    let world = World.drawn(seed: seed)
    let quiet = Trial.run(world)
    Trial.expectNothing(in: quiet, seed: seed)
    let faults = FaultPlan.drawn(for: world, stepCount: quiet.stepCount)
    Trial.expectNothing(in: Trial.run(world, faults), seed: seed)
  }
}
