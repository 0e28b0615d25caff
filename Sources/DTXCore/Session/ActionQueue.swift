/// Actions that a session has decided on and nobody has performed yet, in order.
struct ActionQueue<Action: Sendable>: Sendable {
  private var actions: [Action] = []
  private var nextIndex = 0

  mutating func append(_ action: Action) {
    actions.append(action)
  }

  mutating func next() -> Action? {
    guard nextIndex < actions.count else {
      actions.removeAll(keepingCapacity: true)
      nextIndex = 0
      return nil
    }
    defer { nextIndex += 1 }
    return actions[nextIndex]
  }
}
