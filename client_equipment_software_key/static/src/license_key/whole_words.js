import { Component, markup, xml } from "@odoo/owl";
import { htmlReplace } from "@web/core/utils/html";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * Keep together what is written together, where browsers would go on in the next line
 * after each hyphen of a license key, or before its last five characters: nobody compares
 * a key that is in two lines. What is longer than a line is broken all the same.
 *
 * @param {string} text
 * @returns {ReturnType<markup>} the same text
 */
export function wholeWords(text) {
    // (htmlReplace has made the text safe before it looks for words)
    return htmlReplace(
        text,
        /\S*[-…]\S+/g,
        (word) => markup`<span class="o_whole_word">${markup(word)}</span>`
    );
}

/** A text that names license keys. */
export class WholeWordsField extends Component {
    static template = xml`<span t-out="text" />`;
    static props = { ...standardFieldProps };

    get text() {
        return wholeWords(this.props.record.data[this.props.name] || "");
    }
}

registry.category("fields").add("software_key_whole_words", {
    component: WholeWordsField,
    supportedTypes: ["char", "text"],
});
