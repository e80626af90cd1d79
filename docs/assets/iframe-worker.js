// A page that is opened from a disk may start no worker. The search then runs in a hidden frame in place of one, so
// that it needs no server. The name tells the theme that nothing has to be fetched for this.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.waiting = []
      const frame = document.createElement("iframe")
      frame.hidden = true
      frame.title = "Search"
      frame.srcdoc = "<!doctype html><title>Search</title>"
      frame.onload = () => this.begin(frame.contentWindow, url)
      document.documentElement.append(frame)
    }

    begin(inner, url) {
      inner.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      const script = inner.document.createElement("script")
      script.src = new URL(url, location.href)
      script.onload = () => {
        this.send = data => inner.dispatchEvent(new inner.MessageEvent("message", { data }))
        this.waiting.splice(0).forEach(this.send)
      }
      inner.document.head.append(script)
    }

    postMessage(data) {
      this.send ? this.send(data) : this.waiting.push(data)
    }
  }
}
