/// What one fault left, over several runs.
package struct FaultFindings: Sendable {
  /// Runs that the fault came about in.
  package var runCount = 0
  /// Of these, those that ended with 0 all the same.
  package var doneCount = 0
  package var trees = TrialFindings()

  package init() {}
}
