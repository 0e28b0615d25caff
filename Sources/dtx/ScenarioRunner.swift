import DTXLinux
import DTXSimulator

/// Runs a scenario's variants beside each other, on as many threads as there are processors.
///
/// Each is a world of its own, so that the answer does not depend on which is done first.
enum ScenarioRunner {
  private struct State {
    var next = 0
    var outcomes: [ScenarioOutcome?]
  }

  /// - Parameter scenario: with at least one variant.
  /// - Returns: the outcome of each variant, in order.
  static func run(_ scenario: Scenario) -> [ScenarioOutcome] {
    let variants = scenario.variants
    let state = Guarded(State(outcomes: variants.map { _ in nil }))
    @Sendable func work() {
      while let index = state.withLock({ take(&$0, of: variants.count) }) {
        var run = ScenarioRun(variants[index].applied(to: scenario))
        let outcome = run.run()
        state.withLock { $0.outcomes[index] = outcome }
      }
    }
    let threadCount = min(variants.count, Thread.processorCount)
    var threads: [Thread] = []
    for index in 1..<max(threadCount, 1) {
      // The calling thread does what no other takes.
      guard let thread = try? Thread(name: "simulate-\(index)", work) else { break }
      threads.append(thread)
    }
    work()
    for thread in threads { thread.join() }
    return state.withLock { $0.outcomes.compactMap { $0 } }
  }

  private static func take(_ state: inout State, of count: Int) -> Int? {
    guard state.next < count else { return nil }
    defer { state.next += 1 }
    return state.next
  }
}
