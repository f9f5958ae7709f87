'use strict';
/* Search and sort; without it the table is there all the same. */

const rows = [...document.querySelectorAll('#songs tr')];
const body = document.getElementById('songs');
const search = document.getElementById('search');
const facts = document.getElementById('facts');

const plain = text => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
const texts = new Map(rows.map(row => [row, plain(row.textContent + ' ' + row.dataset.labels)]));

function filter() {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
        row.hidden = !words.every(word => texts.get(row).includes(word));
        shown += !row.hidden;
    }
    document.getElementById('none').hidden = shown > 0;
    facts.textContent = shown === rows.length ? `${rows.length} songs` : `${shown} of ${rows.length} songs`;
}

function sort(key, descending) {
    const order = new Intl.Collator(undefined, {numeric: true, sensitivity: 'base'});
    const value = row => row.dataset[key];
    const compare = key === 'name' ? (a, b) => order.compare(value(a), value(b))
                                   : (a, b) => Number(value(a)) - Number(value(b));
    rows.sort((a, b) => (descending ? -1 : 1) * compare(a, b) ||
                        order.compare(a.dataset.name, b.dataset.name));
    body.append(...rows);
    for (const button of document.querySelectorAll('th button')) {
        const head = button.closest('th');
        if (button.dataset.key === key) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
        else head.removeAttribute('aria-sort');
    }
}

for (const button of document.querySelectorAll('th button'))
    button.addEventListener('click', () =>
        sort(button.dataset.key, button.closest('th').getAttribute('aria-sort') === 'ascending'));
search.addEventListener('input', filter);

const theme = document.getElementById('theme');
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (document.documentElement.dataset.theme || (systemDark.matches ? 'dark' : 'light')) === 'dark';
const showTheme = () => theme.setAttribute('aria-pressed', String(isDark()));
theme.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    showTheme();
});
systemDark.addEventListener('change', showTheme);
showTheme();
filter();
sort('name', false);
