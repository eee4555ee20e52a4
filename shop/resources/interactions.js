// Interactions: which part of the page somebody clicked. They are sent on the side, and nobody waits for them.

const PARTS = 'a, button, select, label';
const LONGEST = 300;

/** From now on each click within a section of the page is told. */
export function tellClicks() {
  document.addEventListener('click', event => {
    const part = event.target.closest?.(PARTS);
    // A click on a label is followed by one on what it labels.
    if (part && event.target.localName !== 'input') {
      tell(describe(part), widgetOf(part));
    }
  });
}

function tell(element, widget) {
  const body = JSON.stringify({ element, widget, time: new Date().toISOString() });
  const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
  // It may outlive the page; one that is lost is no loss.
  fetch('/interactions', { method: 'POST', headers, body, keepalive: true }).catch(() => {});
}

// What it is and what stands on it; never what somebody typed.
function describe(part) {
  const label = part.getAttribute('aria-label') ?? part.textContent;
  return `${part.localName}: ${label.trim().replaceAll(/\s+/g, ' ')}`.slice(0, LONGEST);
}

function widgetOf(part) {
  return part.closest('[id].section, dialog, header, footer')?.id || part.closest('dialog, header, footer')?.localName || 'page';
}
