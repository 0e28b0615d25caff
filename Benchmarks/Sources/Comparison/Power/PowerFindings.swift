/// What cuts of power left, over several of them.
package struct PowerFindings: Sendable {
  /// Cuts while it ran, and right after it had said that it was done.
  package var cutCount = 0
  package var lateCutCount = 0
  /// File systems that would not mount.
  package var unmountableCount = 0
  /// What was on those that did.
  package var trees = TrialFindings()

  package init() {}

  /// Nothing was lost, and nothing was wrong.
  package var isClean: Bool { unmountableCount == 0 && trees.isClean }

  package static func += (left: inout PowerFindings, right: PowerFindings) {
    left.cutCount += right.cutCount
    left.lateCutCount += right.lateCutCount
    left.unmountableCount += right.unmountableCount
    left.trees += right.trees
  }
}
