-- Turns a page that is written for the repository into one of build/docs: links lead from page to page, tables scroll by
-- themselves, and what only scripts/test-docs reads is gone.

-- docs/training.md#options, or training.md#options from beside it -> training.html#options
local function address(target)
    if target:match '^%a[%w+.-]*:' or target:match '^#' then return target end
    local path, anchor = target:match '^([^#]*)(.*)$'
    local name = path:match '[^/]*$'
    if name == 'README.md' then
        name = 'index.html'
    elseif name:match '%.md$' then
        name = name:gsub('%.md$', '.html'):lower()
    end
    return name .. anchor
end

local function without_comment(raw)
    if raw.format:match 'html' and raw.text:match '^%s*<!%-%-' then return {} end
end

return {
    {
        Link = function(link)
            link.target = address(link.target)
            return link
        end,
        Image = function(image)
            image.src = address(image.src)
            return image
        end,
        RawBlock = without_comment,
        RawInline = without_comment,
        Table = function(tbl)
            -- Browsers find better widths than the number of dashes in the source.
            for _, column in ipairs(tbl.colspecs) do column[2] = nil end
            return pandoc.Div({ tbl }, pandoc.Attr('', { 'table' }, { tabindex = '0' }))
        end,
    },
    {
        Pandoc = function(doc)
            local title = doc.meta.title_of_page and pandoc.utils.stringify(doc.meta.title_of_page)
            local first = doc.blocks[1]
            if not (first and first.t == 'Header' and first.level == 1) then
                table.insert(doc.blocks, 1, pandoc.Header(1, title, pandoc.Attr('top')))
            end
            local sections = 0
            for _, block in ipairs(doc.blocks) do
                if block.t == 'Header' and block.level == 2 then sections = sections + 1 end
            end
            if sections > 1 then doc.meta.sections = true end
            return doc
        end,
    },
}
