extension Array {
  /// The place of an element by its name, in as many steps as its number has bits: a peer may have
  /// hundreds of thousands of names, and each entry of a dataset asks.
  ///
  /// - Parameters:
  ///   - name: to be found.
  ///   - nameOf: an element's name; they ascend, bytes unsigned.
  /// - Returns: nil where nothing is called so.
  func ascendingIndex(of name: ArraySlice<UInt8>, by nameOf: (Element) -> [UInt8]) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if nameOf(self[middle]).lexicographicallyPrecedes(name) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < count && nameOf(self[low]).elementsEqual(name) ? low : nil
  }
}
