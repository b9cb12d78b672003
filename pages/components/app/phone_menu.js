// Closes the sidebar after a choice in it where it covers the page. Streamlit leaves it open over the chosen page.
const PHONE = 768;

export default function () {
  const close = (event) => {
    const isChoice = event.target.closest?.('[data-testid="stSidebarNavLink"], [data-testid="stSidebar"] a');
    if (!isChoice || innerWidth > PHONE) return;
    document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
  };
  document.addEventListener("click", close);
  return () => document.removeEventListener("click", close);
}
