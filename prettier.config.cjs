/** How our XML, JavaScript and styles are laid out; OCA's habits. */
module.exports = {
    plugins: [require.resolve("@prettier/plugin-xml")],
    printWidth: 88,
    tabWidth: 4,
    trailingComma: "es5",
    xmlWhitespaceSensitivity: "preserve", // blanks between words are the user's text
    overrides: [{ files: "*.js", options: { printWidth: 100 } }], // Odoo's own
};
