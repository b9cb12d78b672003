// The renderers of Glide that the grid uses, such as row markers. The rest stays out of the bundle.

import {
  ImageWindowLoaderImpl, loadingCellRenderer, markerCellRenderer, newRowCellRenderer, textCellRenderer, type DataEditorCoreProps,
} from "@glideapps/glide-data-grid";

export const renderers = [
  markerCellRenderer, newRowCellRenderer, textCellRenderer, loadingCellRenderer,
] as unknown as NonNullable<DataEditorCoreProps["renderers"]>;

export const imageLoader = new ImageWindowLoaderImpl();
